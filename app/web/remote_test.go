package web

import (
	"net"
	"net/http/httptest"
	"testing"
)

// Whoever may claim an address has as many attempts as there are addresses.
func TestClientAddressTrustsConfiguredProxiesOnly(t *testing.T) {
	t.Parallel()
	var proxies []*net.IPNet
	for _, s := range []string{"127.0.0.0/8", "::1/128", "10.1.0.0/16"} {
		_, network, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		proxies = append(proxies, network)
	}
	for _, test := range []struct {
		name, peer, forwarded string
		proxies               []*net.IPNet
		want                  string
	}{
		{"a proxy on this host", "127.0.0.1:9", "192.0.2.1", proxies, "192.0.2.1"},
		{"by IPv6", "[::1]:9", "2001:db8::1", proxies, "2001:db8::1"},
		{"a proxy of a named network", "10.1.2.3:9", "192.0.2.1", proxies, "192.0.2.1"},
		{"two proxies", "127.0.0.1:9", "203.0.113.1, 192.0.2.1, 10.1.2.3", proxies, "192.0.2.1"},
		{"a client on a private network", "127.0.0.1:9", "203.0.113.1, 10.9.0.1", proxies, "10.9.0.1"},
		{"a private network that is not named", "10.9.2.3:9", "192.0.2.1", proxies, "10.9.2.3"},
		{"a neighbour", "172.17.0.1:9", "192.0.2.1", proxies, "172.17.0.1"},
		{"on the same link", "[fe80::7]:9", "192.0.2.1", proxies, "fe80::7"},
		{"from outside", "198.51.100.1:9", "192.0.2.1", proxies, "198.51.100.1"},
		{"nobody is trusted", "127.0.0.1:9", "192.0.2.1", nil, "127.0.0.1"},
		{"a proxy that says nothing", "127.0.0.1:9", "", proxies, "127.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.peer
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		if got := clientAddress(test.proxies)(r); got != test.want {
			t.Errorf("%s: from %s, want %s", test.name, got, test.want)
		}
	}
}
