// Creates HTTPRoutes at an API server and measures how long a gateway and its controller need for them.
//
//	strait-routes serial   one after the other: from each acknowledgement to a right answer on every connection
//	strait-routes attach   many at once: from the last acknowledgement to right statuses, and what was written
//	strait-routes detach   deletes them again, measured in the same way
//
// Results are lines of JSON on standard output. Exit code 1: something could not be done, with the reason.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

type options struct {
	server, pki, namespace, gateway, prefix, address, services string
	count, parallel, connections, collect                      int
	watch                                                      bool
}

func (o *options) routes() string {
	return "/apis/gateway.networking.k8s.io/v1/namespaces/" + o.namespace + "/httproutes"
}

func (o *options) name(number int) string { return fmt.Sprintf("%s-%05d", o.prefix, number) }

func (o *options) service(number int) string {
	names := split(o.services)
	return names[number%len(names)]
}

// route has a host of its own, one rule with a filter.
func (o *options) route(number int) []byte {
	name := o.name(number)
	return fmt.Appendf(nil, `{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute",
"metadata":{"name":%q,"namespace":%q},"spec":{"parentRefs":[{"name":%q}],"hostnames":["%s.test"],"rules":[{
"matches":[{"path":{"type":"PathPrefix","value":"/%s"}}],
"filters":[{"type":"ResponseHeaderModifier","responseHeaderModifier":{"set":[{"name":"x-route","value":%q}]}}],
"backendRefs":[{"name":%q,"port":80}]}]}}`, name, o.namespace, o.gateway, name, name, name, o.service(number))
}

func emit(value any) {
	text, err := json.Marshal(value)
	if err != nil {
		fail(err)
	}
	os.Stdout.Write(append(text, '\n'))
}

func main() {
	var o options
	flags := flag.NewFlagSet("strait-routes", flag.ExitOnError)
	flags.StringVar(&o.server, "server", "", "URL of the API server")
	flags.StringVar(&o.pki, "pki", "", "folder with ca.crt, admin.crt and admin.key")
	flags.StringVar(&o.namespace, "namespace", "default", "of the routes")
	flags.StringVar(&o.gateway, "gateway", "edge", "the routes' parent")
	flags.StringVar(&o.services, "services", "a", "the routes' backends, in turn: names with commas between")
	flags.StringVar(&o.prefix, "prefix", "scale", "of the routes' names")
	flags.StringVar(&o.address, "address", "", "serial: IP:PORT of the gateway's pod")
	flags.IntVar(&o.count, "count", 100, "how many routes")
	flags.IntVar(&o.parallel, "parallel", 16, "attach, detach: requests at a time")
	flags.IntVar(&o.connections, "connections", 16, "serial: connections to the gateway to choose from")
	flags.IntVar(&o.collect, "collect", 0,
		"serial: after so many routes the API server collects its garbage, before the next one; 0: whenever it likes")
	flags.BoolVar(&o.watch, "watch", false, "serial: also when a watch tells of each route")
	modes := map[string]func(*API, *options) error{"serial": serial, "attach": attach, "detach": detach}
	if len(os.Args) < 2 || modes[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: strait-routes serial|attach|detach OPTIONS"))
	}
	flags.Parse(os.Args[2:])
	api, err := newAPI(o.server, o.pki, o.parallel)
	if err != nil {
		fail(err)
	}
	if err := modes[os.Args[1]](api, &o); err != nil {
		fail(err)
	}
}
