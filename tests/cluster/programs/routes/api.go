package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// API is an API server, asked as the cluster's administrator. Safe for several goroutines.
type API struct {
	server string
	client *http.Client
}

func newAPI(server, pki string, connections int) (*API, error) {
	authority, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("no certificate in %s/ca.crt", pki)
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(pki, "admin.crt"), filepath.Join(pki, "admin.key"))
	if err != nil {
		return nil, err
	}
	// HTTP/1.1: each request has its connection to itself, so that none waits for another one's bytes.
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}},
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxIdleConnsPerHost: connections,
		DisableCompression:  true,
	}
	return &API{server, &http.Client{Transport: transport}}, nil
}

// do returns when the server's acknowledgement has been read.
func (api *API) do(method, path, kind string, body []byte) (map[string]any, error) {
	request, err := http.NewRequest(method, api.server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", kind)
	response, err := api.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %d %.300s", method, path, response.StatusCode, text)
	}
	object := map[string]any{}
	return object, json.Unmarshal(text, &object)
}

// collect has the server collect its garbage now, and returns when it has.
func (api *API) collect() error {
	response, err := api.client.Get(api.server + "/debug/pprof/heap?gc=1")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("collecting garbage: %s: %w", response.Status, err)
	}
	return nil
}

// Event is one line of a watch and when it was read.
type Event struct {
	Type   string
	Object Object
	at     time.Time
}

// Object has of a Gateway or HTTPRoute what is looked at here.
type Object struct {
	Metadata struct {
		Name            string
		Generation      int64
		ResourceVersion string
	}
	Status struct {
		Listeners []struct {
			Name           string
			AttachedRoutes int
		}
		Parents []struct {
			ParentRef  struct{ Name string }
			Conditions []struct {
				Type, Status       string
				ObservedGeneration int64
			}
		}
	}
}

// right says whether the named parent accepts the object's newest version and finds its backends.
func (object *Object) right(parent string) bool {
	for _, it := range object.Status.Parents {
		good := 0
		for _, condition := range it.Conditions {
			if (condition.Type == "Accepted" || condition.Type == "ResolvedRefs") && condition.Status == "True" &&
				condition.ObservedGeneration == object.Metadata.Generation {
				good++
			}
		}
		if it.ParentRef.Name == parent && good == 2 {
			return true
		}
	}
	return false
}

// watch tells of everything from now on, until the program ends; the first events are of what exists, ADDED. A server
// may end a watch at any time: it goes on where it was.
func (api *API) watch(path string, events chan<- Event) error {
	lines, err := api.openWatch(path, "0")
	if err != nil {
		return err
	}
	go func() {
		version := "0"
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil && version != "0" {
				if lines, err = api.openWatch(path, version); err == nil {
					continue
				}
			}
			if err != nil {
				fail(fmt.Errorf("watch %s: %w", path, err))
			}
			event := Event{at: time.Now()}
			if err := json.Unmarshal(line, &event); err != nil || event.Type == "ERROR" {
				fail(fmt.Errorf("watch %s: %.300s", path, line))
			}
			version = event.Object.Metadata.ResourceVersion
			events <- event
		}
	}()
	return nil
}

func (api *API) openWatch(path, version string) (*bufio.Reader, error) {
	response, err := api.client.Get(api.server + path + "?watch=1&resourceVersion=" + version)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("watch %s: %s", path, response.Status)
	}
	return bufio.NewReaderSize(response.Body, 1<<20), nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
