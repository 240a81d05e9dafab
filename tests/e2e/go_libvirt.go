// SPDX-License-Identifier: GPL-2.0-or-later

// A client that speaks the wire protocol without libvirt's C library: go-libvirt. Takes a domain through its life and
// prints a line a step; the first error ends it.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/digitalocean/go-libvirt"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func state(client *libvirt.Libvirt, domain libvirt.Domain) string {
	now, reason, err := client.DomainGetState(domain, 0)
	check(err)
	return fmt.Sprintf("state %d, reason %d", now, reason)
}

func live(client *libvirt.Libvirt, domain libvirt.Domain) {
	check(client.DomainCreate(domain))
	fmt.Println("started:", state(client, domain))
	check(client.DomainSuspend(domain))
	fmt.Println("suspended:", state(client, domain))
	check(client.DomainResume(domain))
	statistics, err := client.ConnectGetAllDomainStats(nil, 0, 0)
	check(err)
	for _, record := range statistics {
		fmt.Printf("statistics: %s, more than 20: %t\n", record.Dom.Name, len(record.Params) > 20)
	}
	memory, err := client.DomainMemoryStats(domain, 16, 0)
	check(err)
	fmt.Println("memory is told:", len(memory) > 0)
	check(client.DomainDestroy(domain))
	fmt.Println("destroyed:", state(client, domain))
}

func main() {
	connection, err := net.Dial("unix", os.Args[1])
	check(err)
	client := libvirt.New(connection)
	check(client.ConnectToURI("tdx:///system"))
	kind, err := client.ConnectGetType()
	check(err)
	fmt.Println("type:", kind)
	definition, err := os.ReadFile(os.Args[2])
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events, err := client.LifecycleEvents(ctx)
	check(err)
	domain, err := client.DomainDefineXML(string(definition))
	check(err)
	fmt.Println("defined:", domain.Name, domain.ID)
	xml, err := client.DomainGetXMLDesc(domain, 0)
	check(err)
	fmt.Println("is a TD:", strings.Contains(xml, "<launchSecurity type='tdx'>"))
	live(client, domain)
	check(client.DomainUndefine(domain))
	for number := 0; number < 8; number++ {
		event := <-events
		fmt.Printf("event: %d, %d\n", event.Event, event.Detail)
	}
	_, err = client.DomainLookupByName(domain.Name)
	fmt.Println("gone:", libvirt.IsNotFound(err))
	check(client.Disconnect())
}
