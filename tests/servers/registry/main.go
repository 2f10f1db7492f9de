// An OCI registry in memory that has the referrers API, over TLS on a free port of loopback.
//
// It says where it listens in the words of distribution, and ends with its standard input: the system closes the pipe of
// a killed test too.
package main

import (
	"crypto/subtle"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	certificate := flag.String("certificate", "", "the server's certificate, a PEM `FILE`")
	key := flag.String("key", "", "the certificate's key, a PEM `FILE`")
	user := flag.String("user", "", "the `NAME` of the one user; without it, everybody may do everything")
	password := flag.String("password", "", "the user's `PASSWORD`")
	folder := flag.String("folder", "", "a `FOLDER` to remove at the end")
	flag.Parse()
	if err := serve(*certificate, *key, *user, *password, *folder); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func serve(certificate, key, user, password, folder string) error {
	handler := registry.New(
		registry.WithReferrersSupport(true),
		registry.Logger(log.New(os.Stderr, "", log.LstdFlags|log.Lmicroseconds)),
	)
	if user != "" {
		handler = authenticated(handler, user, password)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.RemoveAll(folder)
		os.Exit(0)
	}()
	return http.ServeTLS(listener, handler, certificate, key)
}

// authenticated asks for basic authentication, as distribution does with its file of htpasswd.
func authenticated(handler http.Handler, user, password string) http.Handler {
	equal := func(given, wanted string) bool {
		return subtle.ConstantTimeCompare([]byte(given), []byte(wanted)) == 1
	}
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		name, secret, given := request.BasicAuth()
		if given && equal(name, user) && equal(secret, password) {
			handler.ServeHTTP(response, request)
			return
		}
		response.Header().Set("WWW-Authenticate", `Basic realm="kwasm"`)
		response.Header().Set("Content-Type", "application/json")
		response.WriteHeader(http.StatusUnauthorized)
		io.WriteString(response, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
	})
}
