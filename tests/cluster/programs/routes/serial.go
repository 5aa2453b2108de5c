package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	pollPause   = 200 * time.Microsecond // Between an answer and the next look.
	answerLimit = 10 * time.Second
	routeLimit  = 30 * time.Second
	warmUp      = 20 // Routes before those that are measured: of programs that have just started.
)

func split(names string) []string { return strings.Split(names, ",") }

// Probe is one kept connection to the gateway's pod, and so to one of its workers.
type Probe struct {
	connection net.Conn
	reader     *bufio.Reader
	address    string // Our own.
	port       int
}

func dial(address string) (*Probe, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	local := connection.LocalAddr().(*net.TCPAddr)
	return &Probe{connection, bufio.NewReader(connection), local.IP.String(), local.Port}, nil
}

// get returns the answer's status, its header of the route's name and its body.
func (p *Probe) get(host, path string) (int, string, string, error) {
	p.connection.SetDeadline(time.Now().Add(answerLimit))
	if _, err := fmt.Fprintf(p.connection, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		return 0, "", "", err
	}
	response, err := http.ReadResponse(p.reader, nil)
	if err != nil {
		return 0, "", "", err
	}
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("x-route"), string(body), err
}

// until polls until the route's answer is right and returns when it was. 404 is "not yet"; any other answer is wrong.
func (p *Probe) until(name, service string) (time.Time, error) {
	host, path := name+".test", "/"+name+"/x"
	pause := syscall.NsecToTimespec(int64(pollPause))
	for end := time.Now().Add(routeLimit); time.Now().Before(end); {
		status, route, body, err := p.get(host, path)
		now := time.Now()
		if err != nil {
			return now, fmt.Errorf("%s: %w", name, err)
		}
		if status == http.StatusOK && route == name && strings.Contains(body, `"path": "`+path+`"`) &&
			strings.Contains(body, `"service": "`+service+`"`) {
			return now, nil
		}
		if status != http.StatusNotFound {
			return now, fmt.Errorf("%s: wrong answer: %d x-route=%q %.200q", name, status, route, body)
		}
		// The runtime's own timers are as coarse as a millisecond.
		syscall.Nanosleep(&pause, nil)
	}
	return time.Time{}, fmt.Errorf("%s: no right answer within %s", name, routeLimit)
}

// Racers are the connections that a route is looked for on, each polled by a thread of its own.
type Racers struct {
	tasks    []chan task
	verdicts []chan verdict
}
type task struct{ name, service string }
type verdict struct {
	at  time.Time
	err error
}

func race(probes []*Probe) *Racers {
	r := &Racers{}
	for _, probe := range probes {
		tasks, verdicts := make(chan task), make(chan verdict)
		go func() {
			runtime.LockOSThread()
			for it := range tasks {
				at, err := probe.until(it.name, it.service)
				verdicts <- verdict{at, err}
			}
		}()
		r.tasks, r.verdicts = append(r.tasks, tasks), append(r.verdicts, verdicts)
	}
	return r
}

// Race is how one route did.
type Race struct {
	began, acknowledged time.Time
	took                []float64 // Of each connection, since the acknowledgement, in milliseconds.
}

// run creates a route and returns when every connection has answered it right.
func (r *Racers) run(api *API, o *options, number int) (Race, error) {
	it := Race{began: time.Now()}
	if _, err := api.do("POST", o.routes(), "application/json", o.route(number)); err != nil {
		return it, err
	}
	it.acknowledged = time.Now()
	for _, tasks := range r.tasks {
		tasks <- task{o.name(number), o.service(number)}
	}
	for _, verdicts := range r.verdicts {
		got := <-verdicts
		if got.err != nil {
			return it, got.err
		}
		it.took = append(it.took, milliseconds(it.acknowledged, got.at))
	}
	return it, nil
}

// serial first prints our ends of its connections, {"address": …, "ports": […]}, and reads which of them to use, one list of
// JSON: whoever sees the gateway's process knows which worker has which connection. Then a line for each route:
// {"route": N, "ack_ms": how long the API server took, "ms": [for each connection, from the acknowledgement on]} and, with
// -watch, "watch_ms": when a watch of our own told of it, what no gateway can be faster than.
func serial(api *API, o *options) error {
	probes := map[int]*Probe{}
	ports, address := []int{}, ""
	for range o.connections {
		probe, err := dial(o.address)
		if err != nil {
			return err
		}
		if _, _, _, err := probe.get("nobody.test", "/"); err != nil { // A worker has it once it has answered.
			return err
		}
		probes[probe.port] = probe
		ports, address = append(ports, probe.port), probe.address
	}
	emit(map[string]any{"address": address, "ports": ports})
	used := []int{}
	if err := json.NewDecoder(os.Stdin).Decode(&used); err != nil {
		return err
	}
	chosen := []*Probe{}
	for _, port := range used {
		chosen = append(chosen, probes[port])
	}
	racers := race(chosen)
	for number := range warmUp {
		if _, err := racers.run(api, o, o.count+number); err != nil {
			return err
		}
	}
	told := make(chan Event, 100000)
	if o.watch {
		if err := api.watch(o.routes(), told); err != nil {
			return err
		}
	}
	for number := range o.count {
		if o.collect > 0 && number%o.collect == 0 {
			if err := api.collect(); err != nil {
				return err
			}
		}
		got, err := racers.run(api, o, number)
		if err != nil {
			return err
		}
		line := map[string]any{"route": number, "ms": got.took, "ack_ms": milliseconds(got.began, got.acknowledged)}
		for o.watch {
			if event := <-told; event.Type == "ADDED" && event.Object.Metadata.Name == o.name(number) {
				line["watch_ms"] = milliseconds(got.acknowledged, event.at)
				break
			}
		}
		emit(line)
	}
	return nil
}
