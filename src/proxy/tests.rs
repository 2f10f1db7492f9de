use super::*;
use crate::cluster::Endpoint;

fn choose(proxy_url: Option<&str>, variables: &[(&str, &str)], server: &str) -> Result<Option<Proxy>, Error> {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let environment = Environment { variables, ..Environment::default() };
    Proxy::choose(proxy_url, &environment, Endpoint::read(server).unwrap().origin().into())
}

fn chosen(variables: &[(&str, &str)], server: &str) -> String {
    let proxy = choose(None, variables, server).unwrap_or_else(|error| panic!("{error}"));
    proxy.map_or("none".to_owned(), |proxy| format!("{proxy} by {}", proxy.source()))
}

/// Cases from `proxy_test.go` in golang.org/x/net: the environment, the server, the proxy.
#[test]
fn go_s_own_table_holds() {
    for (variables, server, proxy) in [
        (
            &[("HTTP_PROXY", "127.0.0.1:8080")][..],
            "http://example.com",
            "http://127.0.0.1:8080 by HTTP_PROXY",
        ),
        (
            &[("HTTP_PROXY", "cache.corp.example.com")],
            "http://example.com",
            "http://cache.corp.example.com:80 by HTTP_PROXY",
        ),
        (&[("HTTP_PROXY", "localhost")], "http://example.com", "http://localhost:80 by HTTP_PROXY"),
        (
            &[("HTTP_PROXY", "https://cache.corp.example.com")],
            "http://example.com",
            "https://cache.corp.example.com:443 by HTTP_PROXY",
        ),
        (
            &[("HTTP_PROXY", "socks5://127.0.0.1")],
            "http://example.com",
            "socks5://127.0.0.1:1080 by HTTP_PROXY",
        ),
        (&[("http_proxy", "p"), ("HTTPS_PROXY", "s")], "http://insecure.tld/", "http://p:80 by http_proxy"),
        (&[("HTTP_PROXY", "p"), ("https_proxy", "s")], "https://secure.tld/", "http://s:80 by https_proxy"),
        (&[("HTTPS_PROXY", "s"), ("https_proxy", "t")], "https://secure.tld/", "http://s:80 by HTTPS_PROXY"),
        (&[("HTTPS_PROXY", ""), ("https_proxy", "t")], "https://secure.tld/", "http://t:80 by https_proxy"),
        (&[("HTTP_PROXY", "p")], "https://secure.tld/", "none"),
        (
            &[("HTTPS_PROXY", "s"), ("REQUEST_METHOD", "GET")],
            "https://secure.tld/",
            "http://s:80 by HTTPS_PROXY",
        ),
        (&[("HTTP_PROXY", "p"), ("NO_PROXY", "example.com")], "http://example.com/", "none"),
        (&[("HTTP_PROXY", "p"), ("no_proxy", "example.com")], "http://example.com/", "none"),
        (
            &[("HTTP_PROXY", "p"), ("NO_PROXY", "x"), ("no_proxy", "example.com")],
            "http://example.com/",
            "http://p:80 by HTTP_PROXY",
        ),
        (
            &[("HTTP_PROXY", "p"), ("NO_PROXY", ".example.com")],
            "http://example.com/",
            "http://p:80 by HTTP_PROXY",
        ),
        (&[("HTTP_PROXY", "p"), ("NO_PROXY", "example.com")], "http://foo.example.com/", "none"),
        (&[("HTTPS_PROXY", "p")], "https://localhost:6443", "none"),
        (&[("HTTPS_PROXY", "p")], "https://[::1]:6443", "none"),
        (&[("HTTPS_PROXY", "p"), ("NO_PROXY", "example.com:443")], "https://example.com", "none"),
        (&[("HTTPS_PROXY", "socks5h://p")], "https://secure.tld", "socks5://p:1080 by HTTPS_PROXY"),
        (&[], "https://secure.tld/", "none"),
    ] {
        // On Windows, names in capitals and in small letters are the same variable.
        let is_small = |(name, _): &(&str, &str)| name.starts_with(char::is_lowercase);
        if !(cfg!(windows) && variables.iter().any(is_small)) {
            assert_eq!(chosen(variables, server), proxy, "{variables:?} {server}");
        }
    }
}

#[test]
fn a_kubeconfig_s_own_proxy_is_taken_whatever_the_environment_says() {
    let variables = [("HTTPS_PROXY", "other"), ("NO_PROXY", "*")];
    for (url, shown) in [
        ("http://p", "http://p:80"),
        ("HTTPS://P.example:3128/path", "https://p.example:3128"),
        ("socks5://[2001:db8::1]", "socks5://[2001:db8::1]:1080"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
    ] {
        let proxy = choose(Some(url), &variables, "https://127.0.0.1:6443").ok().flatten().unwrap();
        assert_eq!((proxy.to_string().as_str(), proxy.source()), (shown, Source::Kubeconfig));
    }
    assert!(choose(Some(""), &variables, "https://cluster.example").ok().flatten().is_none());
}

#[test]
fn what_there_is_no_way_through_is_an_error_without_its_address() {
    for (url, why) in [
        ("socks4://u:hunter2@p", SCHEMES),
        ("socks5h://hunter2", SCHEMES),
        ("hunter2:3128", SCHEMES),
        ("//hunter2", SCHEMES),
        ("http://", "it names no host"),
        ("http://u:hunter2@", "it names no host"),
        ("http://a b", "it names no host"),
        ("http://p:x", "its port is not a valid port number"),
        ("http://p:70000", "its port is not a valid port number"),
        ("http://u:%zz@p", "its user or password is not percent-encoded"),
    ] {
        let error = choose(Some(url), &[], "https://cluster.example").err().unwrap();
        assert_eq!(error.to_string(), format!("the kubeconfig's proxy-url: {why}"), "{url}");
    }
    let error = choose(None, &[("HTTPS_PROXY", "ftp://p")], "https://cluster.example").err().unwrap();
    assert_eq!(error.to_string(), format!("HTTPS_PROXY: {SCHEMES}"));
    let error = choose(None, &[("HTTPS_PROXY", "http://[::1")], "https://cluster.example").err().unwrap();
    assert_eq!(error.to_string(), "HTTPS_PROXY: it names no host");
    let cgi = [("HTTP_PROXY", "p"), ("REQUEST_METHOD", "GET")];
    assert!(choose(None, &cgi, "http://cluster.example").is_err());
}

#[test]
fn a_user_and_password_are_for_the_proxy_alone() {
    let proxy =
        choose(Some("http://jo%40hn:p%3Ass+w@p:1"), &[], "https://cluster.example").ok().flatten().unwrap();
    assert_eq!(proxy.user(), Some(("jo@hn", "p:ss+w")));
    assert_eq!(proxy.to_string(), "http://p:1");
    let authorization = proxy.authorization().unwrap();
    assert!(authorization.is_sensitive());
    assert_eq!(authorization.to_str().unwrap(), format!("Basic {}", STANDARD.encode("jo@hn:p:ss+w")));
    let without = choose(Some("http://p:1"), &[], "https://cluster.example").ok().flatten().unwrap();
    assert!(without.authorization().is_none());
}
