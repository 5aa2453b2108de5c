package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	statusLimit = 60 * time.Second
	// How long after everything is right it is still looked whether more is written.
	quietAfter = 2 * time.Second
)

// Ledger is what two watches told.
type Ledger struct {
	mutex        sync.Mutex
	right        map[string]time.Time // By route: since when its status is right.
	gone         map[string]time.Time
	routeWrites  int
	counts       []int // Of attached routes, as the Gateway's status said them.
	writes       int   // To the Gateway.
	countedSince time.Time
}

func watchAll(api *API, o *options) (*Ledger, error) {
	ledger := &Ledger{right: map[string]time.Time{}, gone: map[string]time.Time{}}
	routes, gateways := make(chan Event, 100000), make(chan Event, 10000)
	if err := api.watch(o.routes(), routes); err != nil {
		return nil, err
	}
	path := "/apis/gateway.networking.k8s.io/v1/namespaces/" + o.namespace + "/gateways"
	if err := api.watch(path, gateways); err != nil {
		return nil, err
	}
	go func() {
		for event := range routes {
			ledger.route(event, o)
		}
	}()
	go func() {
		for event := range gateways {
			ledger.gateway(event, o)
		}
	}()
	return ledger, nil
}

func (l *Ledger) route(event Event, o *options) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	name := event.Object.Metadata.Name
	if !strings.HasPrefix(name, o.prefix+"-") {
		return
	}
	if event.Type == "DELETED" {
		l.gone[name] = event.at
		return
	}
	if event.Type == "MODIFIED" {
		l.routeWrites++
	}
	if !event.Object.right(o.gateway) {
		delete(l.right, name)
	} else if _, known := l.right[name]; !known {
		l.right[name] = event.at
	}
}

func (l *Ledger) gateway(event Event, o *options) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if event.Object.Metadata.Name != o.gateway || len(event.Object.Status.Listeners) == 0 {
		return
	}
	attached := event.Object.Status.Listeners[0].AttachedRoutes
	if event.Type == "MODIFIED" {
		l.writes++
	}
	if len(l.counts) == 0 || l.counts[len(l.counts)-1] != attached {
		l.counts = append(l.counts, attached)
		l.countedSince = event.at
	}
}

func (l *Ledger) attached() int {
	if len(l.counts) == 0 {
		return -1
	}
	return l.counts[len(l.counts)-1]
}

// each does something for all routes, `parallel` at a time, and returns when the last was acknowledged.
func each(o *options, do func(number int) error) (begin, last time.Time, err error) {
	numbers, errors := make(chan int), make(chan error, o.count)
	var group sync.WaitGroup
	begin = time.Now()
	for range o.parallel {
		group.Go(func() {
			for number := range numbers {
				if err := do(number); err != nil {
					errors <- err
				}
			}
		})
	}
	for number := range o.count {
		numbers <- number
	}
	close(numbers)
	group.Wait()
	last = time.Now()
	select {
	case err = <-errors:
	default:
	}
	return begin, last, err
}

// settle waits until the ledger is right, and then whether anything more comes.
func settle(ledger *Ledger, what string, right func() bool) error {
	for end := time.Now().Add(statusLimit); ; time.Sleep(5 * time.Millisecond) {
		ledger.mutex.Lock()
		done := right()
		ledger.mutex.Unlock()
		if done {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("not within %s: %s; attached %d, %d routes right", statusLimit, what, ledger.attached(),
				len(ledger.right))
		}
	}
	time.Sleep(quietAfter)
	return nil
}

func milliseconds(from, to time.Time) float64 { return float64(to.Sub(from).Microseconds()) / 1e3 }

// standing waits until the watches have told what exists, and the number that the Gateway counts.
func standing(ledger *Ledger, o *options) (int, error) {
	for end := time.Now().Add(statusLimit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		ledger.mutex.Lock()
		attached := ledger.attached()
		ledger.mutex.Unlock()
		if attached >= 0 {
			return attached, nil
		}
	}
	return 0, fmt.Errorf("Gateway %s/%s has no status", o.namespace, o.gateway)
}

// swarm is a change of all routes at once.
type swarm struct {
	change func(number int) error // Of one route.
	each   int                    // What it adds to the Gateway's count of attached routes.
	routes func(*Ledger) int      // How many have been seen changed.
	what   string                 // The state that is waited for.
}

// carryOut returns what was seen, and when the first was asked for and the last acknowledged. Until then both watches
// told of all that existed before.
func (s *swarm) carryOut(api *API, o *options) (ledger *Ledger, begin, last time.Time, err error) {
	if ledger, err = watchAll(api, o); err != nil {
		return
	}
	before, err := standing(ledger, o)
	if err != nil {
		return
	}
	if begin, last, err = each(o, s.change); err != nil {
		return
	}
	err = settle(ledger, s.what, func() bool {
		return ledger.attached() == before+s.each*o.count && s.routes(ledger) == o.count
	})
	return
}

// attach prints one line: how long the creation took; from the last acknowledgement, how long until the Gateway counted
// all routes and until every route's own status was right; how often the Gateway was written and what it counted.
func attach(api *API, o *options) error {
	all := swarm{each: 1, what: "all statuses are right", routes: func(ledger *Ledger) int { return len(ledger.right) },
		change: func(number int) error {
			_, err := api.do("POST", o.routes(), "application/json", o.route(number))
			return err
		}}
	ledger, begin, last, err := all.carryOut(api, o)
	if err != nil {
		return err
	}
	ledger.mutex.Lock()
	defer ledger.mutex.Unlock()
	var slowest time.Time
	for _, at := range ledger.right {
		if at.After(slowest) {
			slowest = at
		}
	}
	emit(map[string]any{"created_ms": milliseconds(begin, last), "counted_ms": milliseconds(last, ledger.countedSince),
		"statuses_ms": milliseconds(last, slowest), "gateway_writes": ledger.writes, "counts": ledger.counts,
		"route_writes": ledger.routeWrites})
	return nil
}

// detach prints one line: how long the deletion took, and from its last acknowledgement until the Gateway counted none.
func detach(api *API, o *options) error {
	all := swarm{each: -1, what: "no route is counted", routes: func(ledger *Ledger) int { return len(ledger.gone) },
		change: func(number int) error {
			_, err := api.do("DELETE", o.routes()+"/"+o.name(number), "application/json", nil)
			return err
		}}
	ledger, begin, last, err := all.carryOut(api, o)
	if err != nil {
		return err
	}
	ledger.mutex.Lock()
	defer ledger.mutex.Unlock()
	emit(map[string]any{"deleted_ms": milliseconds(begin, last), "counted_ms": milliseconds(last, ledger.countedSince),
		"gateway_writes": ledger.writes, "counts": ledger.counts})
	return nil
}
