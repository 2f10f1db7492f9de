#!/usr/bin/env bash
# client-go reports the reason why a server refuses a list, and says "unknown" of a server that refuses discovery the same way.
#
# Both get the same answer: 403 with a Status whose message names the reason. One would expect the message in both errors, since
# the API machinery decodes a Status for whatever failed. But discovery reads the raw body of its answers, on which path nothing
# decodes an error, and the text of a JSON body is not taken for a message. So a user who lacks the permission for /api, or is
# refused by a proxy that explains why, reads "unknown" from kubectl and from every plugin that maps kinds to resources.
#
# Seen with k8s.io/client-go v0.36.3. Needs Go.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >go.mod <<'MOD'
module example.com/refused

go 1.25.0

require k8s.io/client-go v0.36.3
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the reason","reason":"Forbidden","code":403}`)
	}))
	defer server.Close()
	client := kubernetes.NewForConfigOrDie(&rest.Config{Host: server.URL})
	_, err := client.CoreV1().Pods("default").List(context.Background(), metav1.ListOptions{})
	fmt.Println("list:", err)
	_, err = client.Discovery().ServerGroups()
	fmt.Println("discovery:", err)
}
GO
go mod tidy >tidy.log 2>&1 || { cat tidy.log; exit 1; }
go list -m k8s.io/client-go
go run . | tee out
grep -q '^list: the reason$' out
grep -q '^discovery: unknown$' out
