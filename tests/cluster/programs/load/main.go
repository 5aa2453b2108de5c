// strait-load sends requests at a fixed rate, whatever the answers (open loop), over kept connections, checks each
// answer and repeats none: what fails counts. A connection that the server ends between two requests, or of which an
// answer says that it is the last, is replaced, as any client would; one that ends under a request is a failure.
//
// The first line of input is the plan, as JSON; "ready" is said after the first hundred answers; the end of input ends
// the load, and the report is one line of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"time"
)

const (
	requestLimit    = 10 * time.Second
	failuresKept    = 1000
	lateAfter       = 100 * time.Millisecond
	requestsWaiting = 100_000
	readyAfter      = 100
)

// Plan is what to do. Targets are asked in turn.
type Plan struct {
	Address     string   `json:"address"` // IP:PORT
	Rate        float64  `json:"rate"`    // Requests a second.
	Connections int      `json:"connections"`
	Targets     []Target `json:"targets"`
	// With TLS: the file of the authority that signs the server's certificate. Empty: without TLS.
	Authority  string `json:"authority"`
	ServerName string `json:"server_name"`
	// Requests after which a connection is replaced by the client; 0: never.
	RequestsPerConnection int `json:"requests_per_connection"`
}

// Target is a request and what its answer must hold. A number is added to the path.
type Target struct {
	Host     string   `json:"host"`
	Path     string   `json:"path"`
	Services []string `json:"services"` // One of these Services must have answered.
}

// Failure is one request without a right answer. Times are seconds since 1970.
type Failure struct {
	At   float64 `json:"at"`
	Text string  `json:"text"`
}

// Certificate is one that the server has shown.
type Certificate struct {
	Serial string  `json:"serial"`
	First  float64 `json:"first"`
	Last   float64 `json:"last"`
	Count  int     `json:"count"`
}

// Report is what came of it. Latencies are from the time at which a request was due.
type Report struct {
	Answered     int           `json:"answered"`
	Failed       int           `json:"failed"`
	Failures     []Failure     `json:"failures"`
	Late         int           `json:"late"`
	Dialed       int           `json:"dialed"`
	Announced    int           `json:"announced"` // Answers that said Connection: close.
	Idle         int           `json:"idle"`      // Connections that the server ended between requests.
	Rate         float64       `json:"rate"`
	P50          float64       `json:"p50_ms"`
	P99          float64       `json:"p99_ms"`
	Max          float64       `json:"max_ms"`
	Certificates []Certificate `json:"certificates"`
}

func seconds(at time.Time) float64 { return float64(at.UnixMicro()) / 1e6 }

// Record gathers what the lanes see.
type Record struct {
	mutex        sync.Mutex
	report       Report
	latencies    []float64
	certificates map[string]*Certificate
}

func (r *Record) answered(due time.Time) {
	took := time.Since(due)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.latencies = append(r.latencies, float64(took.Microseconds())/1e3)
	r.report.Answered++
	if r.report.Answered == readyAfter {
		fmt.Println("ready")
	}
}

func (r *Record) failed(text string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.report.Failed++
	if len(r.report.Failures) < failuresKept {
		r.report.Failures = append(r.report.Failures, Failure{seconds(time.Now()), text})
	}
}

func (r *Record) count(counter *int) {
	r.mutex.Lock()
	*counter++
	r.mutex.Unlock()
}

func (r *Record) certificate(serial string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now := seconds(time.Now())
	it := r.certificates[serial]
	if it == nil {
		it = &Certificate{Serial: serial, First: now}
		r.certificates[serial] = it
	}
	it.Last = now
	it.Count++
}

func (r *Record) finish(lasted time.Duration) Report {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	sort.Float64s(r.latencies)
	at := func(share float64) float64 {
		if len(r.latencies) == 0 {
			return 0
		}
		return r.latencies[min(len(r.latencies)-1, int(share*float64(len(r.latencies))))]
	}
	r.report.P50, r.report.P99, r.report.Max = at(0.5), at(0.99), at(1)
	r.report.Rate = float64(r.report.Answered) / lasted.Seconds()
	for _, it := range r.certificates {
		r.report.Certificates = append(r.report.Certificates, *it)
	}
	sort.Slice(r.report.Certificates, func(a, b int) bool {
		return r.report.Certificates[a].First < r.report.Certificates[b].First
	})
	return r.report
}

func run(plan *Plan, input io.Reader) (Report, error) {
	record := &Record{certificates: map[string]*Certificate{}}
	record.report.Failures, record.report.Certificates = []Failure{}, []Certificate{} // As JSON: not null.
	open, err := opener(plan)
	if err != nil {
		return Report{}, err
	}
	jobs := make(chan Job, requestsWaiting)
	var lanes sync.WaitGroup
	for range plan.Connections {
		lane := &Lane{plan: plan, open: open, record: record}
		lanes.Go(func() { lane.run(jobs) })
	}
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, input)
		close(ended)
	}()
	begin := time.Now()
	for number := 0; ; number++ {
		due := begin.Add(time.Duration(float64(number) / plan.Rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-ended:
			case <-time.After(wait):
			}
		}
		select {
		case <-ended:
			close(jobs)
			lanes.Wait()
			return record.finish(time.Since(begin)), nil
		case jobs <- Job{number, due}:
		default:
			return Report{}, fmt.Errorf("%d requests wait for a connection already", requestsWaiting)
		}
	}
}

func main() {
	input := bufio.NewReader(os.Stdin)
	line, err := input.ReadBytes('\n')
	var plan Plan
	if err == nil {
		err = json.Unmarshal(line, &plan)
	}
	var report Report
	if err == nil {
		report, err = run(&plan, input)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "strait-load:", err)
		os.Exit(1)
	}
}
