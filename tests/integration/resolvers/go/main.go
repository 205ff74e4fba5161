// Asks Go's own resolver of a server on another port than 53.
// usage: resolver PORT udp|tcp NAME…: prints a line of JSON a name, its addresses.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sort"
)

func main() {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		if os.Args[2] == "tcp" {
			network = "tcp"
		}
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+os.Args[1])
	}}
	for _, name := range os.Args[3:] {
		var said any
		found, err := resolver.LookupHost(context.Background(), name)
		sort.Strings(found)
		if said = found; err != nil {
			said = err.Error()
		}
		line, _ := json.Marshal(said)
		fmt.Println(string(line))
	}
}
