//! The address of the server.

use super::super::case::{Case, asks, case, fails};
use super::super::differences::{PLAIN, PORT, USERINFO};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("a server with a path")
            .cluster("{server: '$BELOW', certificate-authority-data: $CA}")
            .asks("below prefix=/k8s/clusters/c-1 token=$TOKEN"),
        case("a server with a path and a slash")
            .cluster("{server: '$BELOW/', certificate-authority-data: $CA}")
            .asks("below prefix=/k8s/clusters/c-1 token=$TOKEN"),
        case("a server with a path and two slashes")
            .cluster("{server: '$BELOW//', certificate-authority-data: $CA}")
            .asks("below prefix=/k8s/clusters/c-1 token=$TOKEN"),
        case("a server with a doubled slash in its path")
            .cluster("{server: '$BORIGIN/k8s//clusters/c-1', certificate-authority-data: $CA}")
            .asks("below prefix=/k8s/clusters/c-1 token=$TOKEN"),
        case("a server with a dot segment")
            .cluster("{server: '$BORIGIN/k8s/./clusters/c-1', certificate-authority-data: $CA}")
            .asks("below prefix=/k8s/clusters/c-1 token=$TOKEN"),
        case("a server with a segment that goes up")
            .cluster("{server: '$BORIGIN/x/../k8s/clusters/c-1', certificate-authority-data: $CA}")
            .asks("below prefix=/k8s/clusters/c-1 token=$TOKEN"),
        case("a server with an encoded path")
            .cluster("{server: '$BORIGIN/k8s/%63lusters/c-1', certificate-authority-data: $CA}")
            .asks("below prefix=/k8s/clusters/c-1 token=$TOKEN"),
        case("a server with a slash")
            .cluster("{server: '$TLS/', certificate-authority-data: $CA}")
            .asks("tls token=$TOKEN"),
        case("a server with a query")
            .cluster("{server: '$TLS/?a=b', certificate-authority-data: $CA}")
            .asks("tls token=$TOKEN"),
        case("a server with an empty query")
            .cluster("{server: '$TLS/?', certificate-authority-data: $CA}")
            .asks("tls token=$TOKEN"),
        case("a server with a fragment")
            .cluster("{server: '$TLS/#a', certificate-authority-data: $CA}")
            .fails("the server could not find the requested resource"),
        case("a server with a user")
            .cluster("{server: 'https://eve@127.0.0.1:$PORT', certificate-authority-data: $CA}")
            .user("{}")
            .fails("EOF"),
        case("a server with a user and a password")
            .cluster("{server: 'https://eve:$PASSWORD@127.0.0.1:$PORT', certificate-authority-data: $CA}")
            .user("{}")
            .fails("EOF"),
        case("a server with a user, who has a token")
            .cluster("{server: 'https://eve:$PASSWORD@127.0.0.1:$PORT', certificate-authority-data: $CA}")
            .differs(USERINFO, asks("tls password=eve:$PASSWORD"), fails("has a user in its address, which is not sent")),
        case("a scheme in upper case")
            .cluster("{server: 'HTTPS://127.0.0.1:$PORT', certificate-authority-data: $CA}")
            .asks("tls token=$TOKEN"),
        case("a host in upper case")
            .cluster("{server: 'https://LOCALHOST:$PORT', certificate-authority-data: $CA}")
            .asks("tls sni=localhost token=$TOKEN"),
        case("a host's name")
            .cluster("{server: 'https://localhost:$PORT', certificate-authority-data: $CA}")
            .asks("tls sni=localhost token=$TOKEN"),
        case("no scheme").cluster("{server: '127.0.0.1:$PPORT'}").asks("plain"),
        case("no scheme, and a name").cluster("{server: 'localhost:$PPORT'}").asks("plain"),
        case("no scheme, and a path").cluster("{server: '127.0.0.1:$PPORT/'}").asks("plain"),
        case("no scheme, and a longer path")
            .cluster("{server: '127.0.0.1:$PPORT/x'}")
            .fails("host must be a URL or a host:port pair: \"127.0.0.1:$PPORT/x\""),
        case("no scheme, with an authority for TLS")
            .cluster("{server: '127.0.0.1:$PORT', certificate-authority-data: $CA}")
            .fails("net/http: HTTP/1.x transport connection broken: malformed HTTP response"),
        case("no scheme, with a client certificate")
            .cluster("{server: '127.0.0.1:$PORT'}")
            .user("{$PAIR}")
            .fails("net/http: HTTP/1.x transport connection broken: malformed HTTP response"),
        case("no scheme, insecure")
            .cluster("{server: '127.0.0.1:$PORT', insecure-skip-tls-verify: true}")
            .fails("net/http: HTTP/1.x transport connection broken: malformed HTTP response"),
        case("two slashes for a scheme")
            .cluster("{server: '//127.0.0.1:$PPORT'}")
            .fails("host must be a URL or a host:port pair: \"//127.0.0.1:$PPORT\""),
        case("plain HTTP, where a token is not sent").cluster("{server: '$PLAIN'}").asks("plain"),
        case("plain HTTP, where a password is not sent")
            .cluster("{server: '$PLAIN'}")
            .user("{$LOGIN}")
            .asks("plain"),
        case("plain HTTP, where impersonation is sent")
            .cluster("{server: '$PLAIN'}")
            .user("{token: $TOKEN, as: jane}")
            .asks("plain as-user=jane"),
        case("plain HTTP with a client certificate")
            .cluster("{server: '$PLAIN'}")
            .user("{$PAIR}")
            .asks("plain"),
        case("plain HTTP with a broken client certificate")
            .cluster("{server: '$PLAIN'}")
            .user("{client-certificate: absent, client-key: absent}")
            .differs(PLAIN, fails("unable to read client-cert $DIR/absent for main"), asks("plain")),
        case("plain HTTP with an authority")
            .cluster("{server: '$PLAIN', certificate-authority-data: $CA}")
            .asks("plain"),
        case("plain HTTP with a server name")
            .cluster("{server: '$PLAIN', tls-server-name: localhost}")
            .asks("plain"),
        case("plain HTTP to a server of TLS")
            .cluster("{server: 'http://127.0.0.1:$PORT'}")
            .fails("net/http: HTTP/1.x transport connection broken: malformed HTTP response"),
        case("TLS to a server of plain HTTP")
            .cluster("{server: 'https://127.0.0.1:$PPORT', insecure-skip-tls-verify: true}")
            .fails("http: server gave HTTP response to HTTPS client"),
        case("a scheme of nobody's")
            .cluster("{server: 'ftp://127.0.0.1:$PORT'}")
            .fails("unsupported protocol scheme \"ftp\""),
        case("a port that is no number")
            .cluster("{server: 'https://127.0.0.1:x'}")
            .fails("host must be a URL or a host:port pair: \"https://127.0.0.1:x\""),
        case("a port that is too large")
            .cluster("{server: 'https://127.0.0.1:70000'}")
            .fails("dial tcp: address 70000: invalid port"),
        case("a port with a zero before it")
            .cluster("{server: 'https://127.0.0.1:0$PORT', certificate-authority-data: $CA}")
            .differs(PORT, asks("tls token=$TOKEN"), fails("is not the address of an API server")),
        case("no host")
            .cluster("{server: 'https://'}")
            .fails("host must be a URL or a host:port pair: \"https://\""),
        case("no host, but a port")
            .cluster("{server: 'https://:$PORT', certificate-authority-data: $CA}")
            .fails("tls: either ServerName or InsecureSkipVerify must be specified in the tls.Config"),
        case("an address with blanks")
            .cluster("{server: ' $TLS', certificate-authority-data: $CA}")
            .fails("invalid character \" \" in host name"),
        case("an address with a line's end")
            .cluster("{server: \"$TLS\\n\", certificate-authority-data: $CA}")
            .fails("net/url: invalid control character in URL"),
        case("an empty server")
            .cluster("{server: ''}")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("no server")
            .cluster("{certificate-authority-data: $CA}")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("an empty cluster")
            .cluster("{}")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("nobody listens")
            .cluster("{server: 'https://127.0.0.1:1'}")
            .fails("The connection to the server 127.0.0.1:1 was refused"),
        case("-s").flags("-s $TLS").asks("tls token=$TOKEN"),
        case("-s in one word").flags("-s$TLS").asks("tls token=$TOKEN"),
        case("-s with an equals sign").flags("-s=$TLS").asks("tls token=$TOKEN"),
        case("--server")
            .cluster("{server: 'https://127.0.0.1:1', certificate-authority-data: $CA}")
            .flags("--server $TLS")
            .asks("tls token=$TOKEN"),
        case("--server without a scheme").flags("--server=127.0.0.1:$PPORT").asks("plain"),
        case("--server with a path")
            .flags("--server=$BELOW")
            .asks("below prefix=/k8s/clusters/c-1 token=$TOKEN"),
        case("--server of plain HTTP keeps a token to itself").flags("--server=$PLAIN").asks("plain"),
        case("an empty --server is none").flag("--server=").asks("tls token=$TOKEN"),
        case("--server clears the server name")
            .cluster("{server: 'https://127.0.0.1:1', certificate-authority-data: $CA, tls-server-name: localhost}")
            .flags("--server=$TLS")
            .asks("tls token=$TOKEN"),
        case("--server without a kubeconfig").no_kubeconfig().flags("--server=$PLAIN").asks("plain"),
        case("--server and an authority without a kubeconfig")
            .no_kubeconfig()
            .file("ca.crt", "$CA_PEM")
            .flags("--server=$TLS --certificate-authority=ca.crt --token=$TOKEN")
            .asks("tls token=$TOKEN"),
        case("a server of a variable, without a kubeconfig")
            .no_kubeconfig()
            .variable("KUBERNETES_MASTER", "$PLAIN")
            .asks("plain"),
        case("a server of a variable, with a kubeconfig")
            .variable("KUBERNETES_MASTER", "$PLAIN")
            .asks("tls token=$TOKEN"),
        case("a server of a variable, for a cluster without one")
            .variable("KUBERNETES_MASTER", "$PLAIN")
            .cluster("{certificate-authority-data: $CA}")
            .asks("plain"),
        case("a proxy of the environment is not for this machine")
            .variable("HTTPS_PROXY", "http://127.0.0.1:1")
            .asks("tls token=$TOKEN"),
        case("a proxy of an unknown scheme")
            .cluster("{$TRUSTED, proxy-url: 'ftp://127.0.0.1:1'}")
            .fails("unsupported scheme \"ftp\""),
        case("a proxy without a scheme")
            .cluster("{$TRUSTED, proxy-url: '127.0.0.1:1'}")
            .fails("invalid 'proxy-url' \"127.0.0.1:1\" for cluster \"main\": could not parse: 127.0.0.1:1"),
        case("a proxy of socks5h")
            .cluster("{$TRUSTED, proxy-url: 'socks5h://127.0.0.1:1'}")
            .fails("unsupported scheme \"socks5h\""),
        case("a proxy with a password")
            .cluster("{$TRUSTED, proxy-url: 'http://jane:$PASSWORD@127.0.0.1:1'}")
            .fails("The connection to the server 127.0.0.1:$PORT was refused"),
        case("a proxy with a password and an unknown scheme")
            .cluster("{$TRUSTED, proxy-url: 'ftp://jane:$PASSWORD@127.0.0.1:1'}")
            .fails("unsupported scheme \"ftp\""),
        case("an empty proxy is none").cluster("{$TRUSTED, proxy-url: ''}").asks("tls token=$TOKEN"),
        case("a proxy that is used for this machine too")
            .cluster("{$TRUSTED, proxy-url: 'http://127.0.0.1:1'}")
            .fails("The connection to the server 127.0.0.1:$PORT was refused"),
        case("a proxy for plain HTTP")
            .cluster("{server: 'http://api.example.test', proxy-url: '$PLAIN'}")
            .asks("plain"),
    ]
}
