//! Named requests by kind. Their meaning is not written here: it comes from the API server's own code.

/// A request.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) url: &'static str,
}

/// A request that nothing is made of.
pub(super) struct Refused {
    pub(super) case: Case,
    /// The reason, as the command prints it.
    pub(super) reason: &'static str,
    pub(super) theirs: Theirs,
}

/// The reaction of the API server's code to a request that kwasm refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Theirs {
    /// The code refuses it too.
    Rejects,
    /// The code accepts it; with kwasm's reason to refuse it.
    Takes(&'static str),
}

const fn case(name: &'static str, method: &'static str, url: &'static str) -> Case {
    Case { name, method, url }
}

const fn rejected(
    name: &'static str,
    method: &'static str,
    url: &'static str,
    reason: &'static str,
) -> Refused {
    Refused { case: case(name, method, url), reason, theirs: Theirs::Rejects }
}

const fn ambiguous(
    name: &'static str,
    method: &'static str,
    url: &'static str,
    reason: &'static str,
    why: &'static str,
) -> Refused {
    Refused { case: case(name, method, url), reason, theirs: Theirs::Takes(why) }
}

/// All that is resolved, by kind.
pub(super) const RESOLVED: &[(&str, &[Case])] = &[
    ("core group", CORE),
    ("named groups", NAMED),
    ("namespaces themselves", NAMESPACES),
    ("subresources", SUBRESOURCES),
    ("watch", WATCH),
    ("legacy prefixes", LEGACY),
    ("field selectors", SELECTORS),
    ("no resource", URLS),
    ("discovery", DISCOVERY),
    ("spellings", SPELLINGS),
];

const CORE: &[Case] = &[
    case("list in a namespace", "GET", "/api/v1/namespaces/shop/pods"),
    case("get in a namespace", "GET", "/api/v1/namespaces/shop/pods/web"),
    case("head of an object is a get", "HEAD", "/api/v1/namespaces/shop/pods/web"),
    case("head of a collection is a list", "HEAD", "/api/v1/namespaces/shop/pods"),
    case("list in all namespaces", "GET", "/api/v1/pods"),
    case("create", "POST", "/api/v1/namespaces/shop/pods"),
    case("create with a name", "POST", "/api/v1/namespaces/shop/pods/web"),
    case("update", "PUT", "/api/v1/namespaces/shop/configmaps/settings"),
    case("update of a collection", "PUT", "/api/v1/namespaces/shop/configmaps"),
    case("patch", "PATCH", "/api/v1/namespaces/shop/configmaps/settings"),
    case("delete", "DELETE", "/api/v1/namespaces/shop/secrets/db"),
    case("delete of a collection", "DELETE", "/api/v1/namespaces/shop/secrets"),
    case("delete of a collection in all namespaces", "DELETE", "/api/v1/secrets"),
    case("options has no verb", "OPTIONS", "/api/v1/namespaces/shop/pods"),
    case("a method of nobody has no verb", "LIST", "/api/v1/namespaces/shop/pods"),
    case("list of what is in no namespace", "GET", "/api/v1/nodes"),
    case("get of what is in no namespace", "GET", "/api/v1/nodes/node-1"),
    case("delete of what is in no namespace", "DELETE", "/api/v1/persistentvolumes/pv-1"),
    case("patch of what is in no namespace", "PATCH", "/api/v1/nodes/node-1"),
    case("what is in no namespace, asked in one", "GET", "/api/v1/namespaces/shop/nodes/node-1"),
    case("what is in a namespace, asked in none", "GET", "/api/v1/pods/web"),
    case("a trailing slash is none", "GET", "/api/v1/namespaces/shop/pods/"),
    case("a trailing slash after a name", "GET", "/api/v1/namespaces/shop/pods/web/"),
    case("another version", "GET", "/api/v7/namespaces/shop/pods/web"),
    case("a list in pages", "GET", "/api/v1/pods?limit=500&continue=abc"),
    case("a list with a label selector", "GET", "/api/v1/pods?labelSelector=a%3Db"),
];

const NAMED: &[Case] = &[
    case("list in a namespace of a group", "GET", "/apis/apps/v1/namespaces/shop/deployments"),
    case("get in a namespace of a group", "GET", "/apis/apps/v1/namespaces/shop/deployments/web"),
    case("list in all namespaces of a group", "GET", "/apis/apps/v1/deployments"),
    case("create of a group", "POST", "/apis/batch/v1/namespaces/shop/jobs"),
    case("update of a group", "PUT", "/apis/batch/v1/namespaces/shop/jobs/once"),
    case("patch of a group", "PATCH", "/apis/apps/v1/namespaces/shop/deployments/web"),
    case("delete of a group", "DELETE", "/apis/apps/v1/namespaces/shop/deployments/web"),
    case("delete of a group's collection", "DELETE", "/apis/apps/v1/namespaces/shop/deployments"),
    case("a group with dots", "GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view"),
    case("in no namespace of a group", "GET", "/apis/storage.k8s.io/v1/storageclasses"),
    case("delete in no namespace of a group", "DELETE", "/apis/example.com/v1beta1/things"),
    case("a group of custom resources", "GET", "/apis/example.com/v1alpha1/namespaces/shop/things/x"),
    case("the core group's resource in another", "GET", "/apis/example.com/v1/namespaces/shop/pods/web"),
    case("a group called api", "GET", "/apis/api/v1/pods"),
    case("a group called apis", "GET", "/apis/apis/v1/pods"),
    case("a review", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    case("the core group's path with a group in it", "GET", "/api/apps/v1/deployments"),
    case("options of a group", "OPTIONS", "/apis/apps/v1/deployments"),
];

const NAMESPACES: &[Case] = &[
    case("list of namespaces", "GET", "/api/v1/namespaces"),
    case("list of namespaces with a slash", "GET", "/api/v1/namespaces/"),
    case("watch of namespaces", "GET", "/api/v1/namespaces?watch=true"),
    case("get of a namespace", "GET", "/api/v1/namespaces/shop"),
    case("get of a namespace with a slash", "GET", "/api/v1/namespaces/shop/"),
    case("create of a namespace", "POST", "/api/v1/namespaces"),
    case("update of a namespace", "PUT", "/api/v1/namespaces/shop"),
    case("patch of a namespace", "PATCH", "/api/v1/namespaces/shop"),
    case("delete of a namespace", "DELETE", "/api/v1/namespaces/shop"),
    case("delete of all namespaces", "DELETE", "/api/v1/namespaces"),
    case("a namespace's status", "GET", "/api/v1/namespaces/shop/status"),
    case("update of a namespace's status", "PUT", "/api/v1/namespaces/shop/status"),
    case("finalizing a namespace", "PUT", "/api/v1/namespaces/shop/finalize"),
    case("what follows finalize", "GET", "/api/v1/namespaces/shop/finalize/x"),
    case("what follows status", "GET", "/api/v1/namespaces/shop/status/x/y"),
    case("namespaces in a namespace", "GET", "/api/v1/namespaces/shop/namespaces"),
    case("a namespace in a namespace", "GET", "/api/v1/namespaces/shop/namespaces/x"),
    case("a namespace that is called like a resource", "GET", "/api/v1/namespaces/pods/pods"),
    case("a namespace that is called namespaces", "GET", "/api/v1/namespaces/namespaces/namespaces"),
    case("a namespace that is called watch", "GET", "/api/v1/namespaces/watch/pods"),
    case("a namespace that is called status", "GET", "/api/v1/namespaces/status/pods"),
    case("namespaces by a field selector", "GET", "/api/v1/namespaces?fieldSelector=metadata.name%3Dshop"),
    case("a group's own namespaces", "GET", "/apis/project.openshift.io/v1/namespaces"),
    case("a group's own namespace", "GET", "/apis/project.openshift.io/v1/namespaces/shop"),
];

const SUBRESOURCES: &[Case] = &[
    case("log", "GET", "/api/v1/namespaces/shop/pods/web/log"),
    case("log that is followed", "GET", "/api/v1/namespaces/shop/pods/web/log?follow=true&watch=1"),
    case("exec by get", "GET", "/api/v1/namespaces/shop/pods/web/exec?command=id"),
    case("exec by post", "POST", "/api/v1/namespaces/shop/pods/web/exec?command=id"),
    case("attach", "POST", "/api/v1/namespaces/shop/pods/web/attach"),
    case("port-forward", "GET", "/api/v1/namespaces/shop/pods/web/portforward?ports=80"),
    case("eviction", "POST", "/api/v1/namespaces/shop/pods/web/eviction"),
    case("ephemeral containers", "PATCH", "/api/v1/namespaces/shop/pods/web/ephemeralcontainers"),
    case("a service account's token", "POST", "/api/v1/namespaces/shop/serviceaccounts/default/token"),
    case("status of a group", "PATCH", "/apis/apps/v1/namespaces/shop/deployments/web/status"),
    case("scale", "GET", "/apis/apps/v1/namespaces/shop/deployments/web/scale"),
    case("update of scale", "PUT", "/apis/apps/v1/namespaces/shop/deployments/web/scale"),
    case("delete of a subresource", "DELETE", "/api/v1/namespaces/shop/pods/web/status"),
    case(
        "approval in no namespace",
        "PUT",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval",
    ),
    case("a node's status", "GET", "/api/v1/nodes/node-1/status"),
    case("a node's proxy", "GET", "/api/v1/nodes/node-1/proxy/metrics"),
    case("a service's proxy", "GET", "/api/v1/namespaces/shop/services/web/proxy"),
    case("a service's proxy at a port", "GET", "/api/v1/namespaces/shop/services/https:web:443/proxy/a/b"),
    case("a pod's proxy by delete", "DELETE", "/api/v1/namespaces/shop/pods/web/proxy/x"),
    case("a proxy's options", "OPTIONS", "/api/v1/namespaces/shop/pods/web/proxy/x"),
    case("a subresource with a slash", "GET", "/api/v1/namespaces/shop/pods/web/log/"),
    case("a subresource without a namespace", "GET", "/api/v1/pods/web/log"),
    case("what follows a subresource", "GET", "/api/v1/namespaces/shop/pods/web/log/x/y"),
    case("a subresource that is called watch", "GET", "/api/v1/namespaces/shop/pods/web/watch"),
];

const WATCH: &[Case] = &[
    case("true", "GET", "/api/v1/pods?watch=true"),
    case("1", "GET", "/api/v1/pods?watch=1"),
    case("yes", "GET", "/api/v1/pods?watch=yes"),
    case("no means yes", "GET", "/api/v1/pods?watch=no"),
    case("nothing at all", "GET", "/api/v1/pods?watch"),
    case("an empty value", "GET", "/api/v1/pods?watch="),
    case("false", "GET", "/api/v1/pods?watch=false"),
    case("False", "GET", "/api/v1/pods?watch=False"),
    case("0", "GET", "/api/v1/pods?watch=0"),
    case("00", "GET", "/api/v1/pods?watch=00"),
    case("true, then false", "GET", "/api/v1/pods?watch=true&watch=false"),
    case("false, then true", "GET", "/api/v1/pods?watch=false&watch=true"),
    case("an encoded key", "GET", "/api/v1/pods?w%61tch=1"),
    case("an encoded value", "GET", "/api/v1/pods?watch=%66alse"),
    case("another case of the key", "GET", "/api/v1/pods?Watch=1"),
    case("a blank before the key", "GET", "/api/v1/pods?+watch=1"),
    case("a broken value", "GET", "/api/v1/pods?watch=%zz"),
    case("after a semicolon", "GET", "/api/v1/pods?a=b;watch=1"),
    case("before a semicolon", "GET", "/api/v1/pods?watch=1;a=b"),
    case("after empty pairs", "GET", "/api/v1/pods?&&watch=1"),
    case("by head", "HEAD", "/api/v1/pods?watch=1"),
    case("of one object is a get", "GET", "/api/v1/namespaces/shop/pods/web?watch=1"),
    case("by post is a create", "POST", "/api/v1/namespaces/shop/pods?watch=1"),
    case("by delete is the deletion of a collection", "DELETE", "/api/v1/namespaces/shop/pods?watch=1"),
    case("with an option that is broken", "GET", "/api/v1/pods?watch=true&limit=x"),
    case("false with an option that is broken", "GET", "/api/v1/pods?watch=false&limit=x"),
    case("with a broken label selector", "GET", "/api/v1/pods?watch=1&labelSelector=(("),
    case("in a namespace of a group", "GET", "/apis/apps/v1/namespaces/shop/deployments?watch=true"),
    case("of what is no resource", "GET", "/version?watch=1"),
];

const LEGACY: &[Case] = &[
    case("watch of a collection", "GET", "/api/v1/watch/pods"),
    case("watch in a namespace", "GET", "/api/v1/watch/namespaces/shop/pods"),
    case("watch of an object", "GET", "/api/v1/watch/namespaces/shop/pods/web"),
    case("watch of a subresource", "GET", "/api/v1/watch/namespaces/shop/pods/web/status"),
    case("watch of namespaces", "GET", "/api/v1/watch/namespaces"),
    case("watch of a namespace", "GET", "/api/v1/watch/namespaces/shop"),
    case("watch of a group", "GET", "/apis/apps/v1/watch/deployments"),
    case("watch by delete is a watch", "DELETE", "/api/v1/watch/pods"),
    case("watch by post is a watch", "POST", "/api/v1/watch/namespaces/shop/pods"),
    case("watch of watch", "GET", "/api/v1/watch/watch/pods"),
    case("watch with watch=false", "GET", "/api/v1/watch/pods?watch=false"),
    case("watch with a field selector", "GET", "/api/v1/watch/pods?fieldSelector=metadata.name=x"),
    case("watch, encoded", "GET", "/api/v1/w%61tch/pods"),
    case("proxy to a node", "GET", "/api/v1/proxy/nodes/node-1"),
    case("proxy to a pod", "GET", "/api/v1/proxy/namespaces/shop/pods/web/x/y"),
    case("proxy to a service by post", "POST", "/api/v1/proxy/namespaces/shop/services/web:80"),
    case("proxy to a collection", "GET", "/api/v1/proxy/pods"),
    case("proxy of a group", "GET", "/apis/example.com/v1/proxy/things/x"),
    case("redirect is no prefix any more", "GET", "/api/v1/redirect/namespaces/shop/pods/web"),
];

const SELECTORS: &[Case] = &[
    case("a name", "GET", "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name=db"),
    case("a name, encoded", "GET", "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Ddb"),
    case("a name by two equal signs", "GET", "/api/v1/secrets?fieldSelector=metadata.name==db"),
    case("a name that is watched", "GET", "/api/v1/secrets?watch=1&fieldSelector=metadata.name=db"),
    case("a name of a group", "GET", "/apis/apps/v1/deployments?fieldSelector=metadata.name=web"),
    case("any but a name", "GET", "/api/v1/secrets?fieldSelector=metadata.name!=db"),
    case("no name", "GET", "/api/v1/secrets?fieldSelector=metadata.name="),
    case("another field", "GET", "/api/v1/pods?fieldSelector=spec.nodeName=node-1"),
    case("another field and a name", "GET", "/api/v1/pods?fieldSelector=spec.nodeName=n,metadata.name=web"),
    case("two names", "GET", "/api/v1/pods?fieldSelector=metadata.name=b,metadata.name=a"),
    case("two selectors", "GET", "/api/v1/pods?fieldSelector=metadata.name=b&fieldSelector=metadata.name=a"),
    case("a name with a slash", "GET", "/api/v1/pods?fieldSelector=metadata.name=a%2Fb"),
    case("a name with a percent sign", "GET", "/api/v1/pods?fieldSelector=metadata.name=a%2525b"),
    case("a name of two dots", "GET", "/api/v1/pods?fieldSelector=metadata.name=.."),
    case("a name with an escaped comma", "GET", "/api/v1/pods?fieldSelector=metadata.name=a%5C,b"),
    case("a broken escape", "GET", "/api/v1/pods?fieldSelector=metadata.name=a%5Cx"),
    case("no operator", "GET", "/api/v1/pods?fieldSelector=metadata.name"),
    case("empty terms", "GET", "/api/v1/pods?fieldSelector=,metadata.name=a,,"),
    case("a blank in the name", "GET", "/api/v1/pods?fieldSelector=metadata.name=a+b"),
    case("with a label selector", "GET", "/api/v1/pods?fieldSelector=metadata.name=a&labelSelector=x%3Dy"),
    case("with an option that is broken", "GET", "/api/v1/pods?fieldSelector=metadata.name=a&limit=x"),
    case("with a name in the path", "GET", "/api/v1/namespaces/shop/pods/web?fieldSelector=metadata.name=a"),
    case("with delete", "DELETE", "/api/v1/namespaces/shop/pods?fieldSelector=metadata.name=a"),
];

const URLS: &[Case] = &[
    case("the root", "GET", "/"),
    case("version", "GET", "/version"),
    case("version with a slash", "GET", "/version/"),
    case("health", "GET", "/healthz"),
    case("a single check", "GET", "/livez/etcd"),
    case("readiness with words", "GET", "/readyz?verbose"),
    case("metrics", "GET", "/metrics"),
    case("metrics by post", "POST", "/metrics"),
    case("metrics by head", "HEAD", "/metrics"),
    case("metrics by options", "OPTIONS", "/metrics"),
    case("a method of nobody", "LIST", "/metrics"),
    case("the server's files", "GET", "/logs/kube-apiserver.log"),
    case("a profile", "GET", "/debug/pprof/profile?seconds=1"),
    case("keys of service accounts", "GET", "/openid/v1/jwks"),
    case("what looks like a resource", "GET", "/apix/v1/namespaces/shop/pods"),
    case("another case of the prefix", "GET", "/API/v1/namespaces/shop/pods"),
];

const DISCOVERY: &[Case] = &[
    case("versions of the core group", "GET", "/api"),
    case("versions of the core group with a slash", "GET", "/api/"),
    case("the core group's resources", "GET", "/api/v1"),
    case("the core group's resources with a slash", "GET", "/api/v1/"),
    case("groups", "GET", "/apis"),
    case("a group", "GET", "/apis/apps"),
    case("a group's resources", "GET", "/apis/apps/v1"),
    case("a group's resources with a slash", "GET", "/apis/apps/v1/"),
    case("a group's resources by delete", "DELETE", "/apis/apps/v1"),
    case("openapi 2", "GET", "/openapi/v2"),
    case("openapi 3", "GET", "/openapi/v3"),
    case("openapi 3 of a group", "GET", "/openapi/v3/apis/apps/v1?hash=1"),
];

const SPELLINGS: &[Case] = &[
    case("an encoded letter in the prefix", "GET", "/%61pi/v1/namespaces/shop/pods"),
    case("an encoded letter in the resource", "GET", "/api/v1/namespaces/shop/%73ecrets/db"),
    case("an encoded letter in namespaces", "GET", "/api/v1/namespace%73/shop/secrets"),
    case("an encoded blank", "GET", "/api/v1/namespaces/shop/pods/a%20b"),
    case("an encoded percent sign is decoded once", "GET", "/api/v1/namespaces/shop/pods/%252e%252e"),
    case("an encoded letter of another script", "GET", "/api/v1/namespaces/shop/pods/%C3%BC"),
    case("an encoded question mark", "GET", "/api/v1/namespaces/shop/pods%3Fwatch=1"),
    case("an encoded number sign", "GET", "/api/v1/namespaces/shop/pods/a%23b"),
    case("a plus is itself in a path", "GET", "/api/v1/namespaces/shop/pods/a+b"),
    case("a semicolon is itself in a path", "GET", "/api/v1/namespaces/shop/pods/a;b"),
    case("colons", "GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node"),
    case("other signs", "GET", "/api/v1/namespaces/shop/pods/a@b,c!d$e&f'g(h)i*j=k~l"),
    case("another case of the resource", "GET", "/api/v1/namespaces/shop/Pods"),
    case("three dots are a name", "GET", "/api/v1/namespaces/shop/pods/..."),
    case("a fragment is left out", "GET", "/api/v1/namespaces/shop/pods#x"),
];

const DOTS: &str = "its path has a dot segment";
const EMPTY: &str = "its path has an empty segment";
const SLASH: &str = "its path has an encoded slash";
const LABELS: &str = "its label selector may or may not be well-formed, which decides what is requested";
const NO_RESOURCE: &str = "its path names no resource";
const NO_PATH: &str = "its path is not valid";

const CLEANED: &str = "a proxy on the way, or a handler behind it, may resolve it to another path";
const UNDECODED: &str = "a proxy on the way may decode it, and the API server sees another path";

/// Malformed and ambiguous requests.
pub(super) const REFUSED: &[Refused] = &[
    rejected("watch of nothing", "GET", "/api/v1/watch", NO_RESOURCE),
    rejected("watch of nothing with a slash", "GET", "/api/v1/watch/", NO_RESOURCE),
    rejected("proxy to nothing", "GET", "/api/v1/proxy", NO_RESOURCE),
    rejected("watch of nothing of a group", "GET", "/apis/apps/v1/watch", NO_RESOURCE),
    rejected(
        "half an encoding",
        "GET",
        "/api/v1/namespaces/shop/pods/%4",
        "its path has an invalid percent-encoding",
    ),
    rejected(
        "no encoding",
        "GET",
        "/api/v1/namespaces/shop/pods/%zz",
        "its path has an invalid percent-encoding",
    ),
    rejected("a blank", "GET", "/api/v1/namespaces/shop/pods/a b\u{7f}", NO_PATH),
    rejected("a line end", "GET", "/api/v1/pods\r\nx: y", NO_PATH),
    rejected("a method with a blank", "GET X", "/api/v1/pods", "its method is not valid"),
    ambiguous("a method of nothing", "", "/api/v1/pods", "its method is not valid", "Go takes it for GET"),
    ambiguous("no slash", "GET", "api/v1/pods", NO_PATH, "the question's own URL joins host and path"),
    ambiguous("a dot segment", "GET", "/api/v1/namespaces/shop/./pods", DOTS, CLEANED),
    ambiguous("two dots", "GET", "/api/v1/namespaces/shop/../secrets", DOTS, CLEANED),
    ambiguous("two dots, encoded", "GET", "/api/v1/namespaces/shop/%2e%2e/secrets", DOTS, CLEANED),
    ambiguous("two dots at the end", "GET", "/api/v1/namespaces/shop/..", DOTS, CLEANED),
    ambiguous("an empty segment", "GET", "/api/v1//pods", EMPTY, CLEANED),
    ambiguous("an empty first segment", "GET", "//api/v1/pods", EMPTY, CLEANED),
    ambiguous("two slashes at the end", "GET", "/api/v1/pods//", EMPTY, CLEANED),
    ambiguous("an encoded slash", "GET", "/api/v1/namespaces/shop%2fsecrets", SLASH, UNDECODED),
    ambiguous("an encoded slash, in capitals", "GET", "/api/v1/namespaces%2Fshop/secrets", SLASH, UNDECODED),
    ambiguous("a backslash", "GET", "/api/v1/namespaces\\shop/pods", "its path has a backslash", CLEANED),
    ambiguous("an encoded backslash", "GET", "/api/v1/pods%5Cx", "its path has a backslash", UNDECODED),
    ambiguous("a zero byte", "GET", "/api/v1/pods/a%00b", "its path has a control character", UNDECODED),
    ambiguous(
        "an encoded line end",
        "GET",
        "/api/v1/pods/a%0d%0ab",
        "its path has a control character",
        UNDECODED,
    ),
    ambiguous(
        "bytes that are no text",
        "GET",
        "/api/v1/pods/%ff",
        "its path has an invalid percent-encoding",
        "Go keeps the bytes, which no name of an object has",
    ),
    ambiguous(
        "bytes that are no text in a query",
        "GET",
        "/api/v1/pods?fieldSelector=metadata.name=%ff",
        "its query has bytes that are not UTF-8",
        "Go keeps the bytes, which no name of an object has",
    ),
    ambiguous(
        "a name beside a label selector of sets",
        "GET",
        "/api/v1/pods?fieldSelector=metadata.name=a&labelSelector=b+in+(c)",
        LABELS,
        "kwasm reads the plain selectors only, and whether one is well-formed decides on the name",
    ),
    ambiguous(
        "a name beside a broken label selector",
        "GET",
        "/api/v1/pods?fieldSelector=metadata.name=a&labelSelector=((",
        LABELS,
        "as above: the API server drops the name here, and would not there",
    ),
    ambiguous(
        "a tunnel",
        "CONNECT",
        "/api/v1/pods",
        "CONNECT requests a tunnel, and kwasm provides none",
        "it has no verb",
    ),
    ambiguous(
        "an echo",
        "TRACE",
        "/version",
        "TRACE would echo the credentials",
        "a proxy on the way would answer",
    ),
];
