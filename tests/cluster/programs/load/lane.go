package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Job is one request and when it is due.
type Job struct {
	number int
	due    time.Time
}

// opener returns what makes connections as the plan wants them.
func opener(plan *Plan) (func() (net.Conn, error), error) {
	dialer := &net.Dialer{Timeout: requestLimit}
	if plan.Authority == "" {
		return func() (net.Conn, error) { return dialer.Dial("tcp", plan.Address) }, nil
	}
	text, err := os.ReadFile(plan.Authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("no certificate in %s", plan.Authority)
	}
	secure := &tls.Dialer{NetDialer: dialer, Config: &tls.Config{RootCAs: roots, ServerName: plan.ServerName,
		NextProtos: []string{"http/1.1"}}}
	return func() (net.Conn, error) {
		limit, cancel := context.WithTimeout(context.Background(), requestLimit)
		defer cancel()
		return secure.DialContext(limit, "tcp", plan.Address)
	}, nil
}

// Connection is one whose end is noticed while nothing is asked: a goroutine always reads ahead.
type Connection struct {
	net.Conn
	reader  *bufio.Reader
	next    chan struct{} // Read ahead again: an answer has been read whole.
	arrived chan error    // A byte of the next answer is there, or the connection is at its end.
	used    int
}

func newConnection(raw net.Conn) *Connection {
	it := &Connection{Conn: raw, reader: bufio.NewReader(raw), next: make(chan struct{}, 1), arrived: make(chan error, 1)}
	it.next <- struct{}{}
	go func() {
		for range it.next {
			_, err := it.reader.Peek(1)
			it.arrived <- err
		}
	}()
	return it
}

func (c *Connection) close() {
	close(c.next)
	c.Conn.Close()
}

// Lane has at most one connection and one request on it.
type Lane struct {
	plan       *Plan
	open       func() (net.Conn, error)
	record     *Record
	connection *Connection
}

func (l *Lane) drop() {
	l.connection.close()
	l.connection = nil
}

func (l *Lane) run(jobs <-chan Job) {
	for job := range jobs {
		if time.Since(job.due) > lateAfter {
			l.record.count(&l.record.report.Late)
		}
		if err := l.ask(job); err != nil {
			l.record.failed(err.Error())
			if l.connection != nil {
				l.drop()
			}
			continue
		}
		l.record.answered(job.due)
	}
	if l.connection != nil {
		l.drop()
	}
}

// ready has a connection that the server has not ended, as far as we have been told.
func (l *Lane) ready() error {
	if l.connection != nil {
		select {
		case err := <-l.connection.arrived:
			if err == nil {
				return errors.New("an answer that nobody asked for")
			}
			l.record.count(&l.record.report.Idle)
			l.drop()
		default:
		}
	}
	if l.connection != nil {
		return nil
	}
	raw, err := l.open()
	l.record.count(&l.record.report.Dialed)
	if err != nil {
		return fmt.Errorf("cannot connect: %w", err)
	}
	if secure, ok := raw.(*tls.Conn); ok {
		l.record.certificate(secure.ConnectionState().PeerCertificates[0].SerialNumber.String())
	}
	l.connection = newConnection(raw)
	return nil
}

func (l *Lane) ask(job Job) error {
	target := &l.plan.Targets[job.number%len(l.plan.Targets)]
	path := fmt.Sprintf("%s/%d", target.Path, job.number)
	if err := l.ready(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	it := l.connection
	it.used++
	it.SetDeadline(time.Now().Add(requestLimit))
	if _, err := fmt.Fprintf(it, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, target.Host); err != nil {
		return fmt.Errorf("%s: request %d of its connection: %w", path, it.used, err)
	}
	if err := <-it.arrived; err != nil {
		return fmt.Errorf("%s: request %d of its connection: %w", path, it.used, err)
	}
	response, err := http.ReadResponse(it.reader, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if response.Close {
		l.record.count(&l.record.report.Announced)
	}
	if response.Close || (l.plan.RequestsPerConnection > 0 && it.used >= l.plan.RequestsPerConnection) {
		l.drop()
	} else {
		it.SetDeadline(time.Time{})
		it.next <- struct{}{}
	}
	return target.check(path, response.StatusCode, string(body))
}

func (t *Target) check(path string, status int, body string) error {
	if status != http.StatusOK {
		return fmt.Errorf("%s: %d %.200q", path, status, body)
	}
	if !strings.Contains(body, `"path": "`+path+`"`) {
		return fmt.Errorf("%s: the answer to another path: %.200q", path, body)
	}
	for _, service := range t.Services {
		if strings.Contains(body, `"service": "`+service+`"`) {
			return nil
		}
	}
	return fmt.Errorf("%s: answered by none of %v: %.400q", path, t.Services, body)
}
