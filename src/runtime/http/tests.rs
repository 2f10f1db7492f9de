use http::Request;
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpCtx, WasiHttpHooks};

use super::types::{HostFields, HostOutgoingRequest, HostRequestOptions};
use super::*;

/// A door that leads nowhere.
pub(super) struct Nowhere;

type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(http::Response<WasiBody>, Done), Error>;

impl WasiHttpHooks for Nowhere {
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Done,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

/// A guest's side of wasi:http, with the host's state for it.
struct Kept {
    table: ResourceTable,
    context: WasiHttpCtx,
    hooks: Nowhere,
    answers: Answers,
}

impl Kept {
    fn new() -> Self {
        Self {
            table: ResourceTable::new(),
            context: WasiHttpCtx::new(),
            hooks: Nowhere,
            answers: Answers::default(),
        }
    }

    fn http(&mut self) -> Http<'_> {
        let view = WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.context };
        Http(view, &mut self.answers)
    }

    /// Returns a request that could be sent, and its options.
    fn request(&mut self) -> (Resource<OutgoingRequest>, Resource<RequestOptions>) {
        let mut http = self.http();
        let headers = HostFields::new(&mut http).unwrap();
        let request = HostOutgoingRequest::new(&mut http, headers).unwrap();
        let same = Resource::new_borrow(request.rep());
        http.set_authority(same, Some("example.com".to_owned())).unwrap().unwrap();
        let same = Resource::new_borrow(request.rep());
        http.set_path_with_query(same, Some("/".to_owned())).unwrap().unwrap();
        (request, HostRequestOptions::new(&mut http).unwrap())
    }

    fn has(&self, options: u32) -> bool {
        self.table.get(&Resource::<RequestOptions>::new_borrow(options)).is_ok()
    }
}

#[tokio::test]
async fn options_go_with_their_request() {
    let mut kept = Kept::new();
    let (request, options) = kept.request();
    let own = options.rep();
    let response = outgoing_handler::Host::handle(&mut kept.http(), request, Some(options)).unwrap();
    assert!(!kept.has(own));
    types::HostFutureIncomingResponse::drop(&mut kept.http(), response).unwrap();
    assert!(kept.table.is_empty());
}

#[tokio::test]
async fn upstream_still_forgets_the_options_of_a_request() {
    let mut kept = Kept::new();
    let (request, options) = kept.request();
    let own = options.rep();
    outgoing_handler::Host::handle(&mut kept.http().0, request, Some(options)).unwrap();
    assert!(
        kept.has(own),
        "wasmtime-wasi-http frees the options now: remove `outgoing_handler::Host for Http`, link upstream's own, \
         and remove `Defence::OptionsLeak`"
    );
}

#[test]
fn a_message_has_so_many_headers_and_no_more() {
    let mut kept = Kept::new();
    let header = |number| (format!("x-{number}"), b"v".to_vec());
    let fields = kept.http().from_list((0..HEADERS).map(header).collect()).unwrap();
    let again = |fields: &Fields| Fields::new_borrow(fields.rep());
    // Another value for an existing header does not count as a further header.
    kept.http().set(again(&fields), "x-1".to_owned(), vec![b"w".to_vec()]).unwrap();
    let appended = kept.http().append(again(&fields), "x-1".to_owned(), b"v".to_vec()).unwrap_err();
    assert!(appended.downcast().unwrap_err().is::<FieldMapError>());
    let listed = kept.http().from_list((0..=HEADERS).map(header).collect()).unwrap_err();
    assert!(listed.downcast().unwrap_err().is::<FieldMapError>());
    let values = vec![b"v".to_vec(); HEADERS + 1];
    assert!(kept.http().set(again(&fields), "x-2".to_owned(), values).is_err());
}

#[test]
fn the_host_keeps_no_endless_names() {
    let mut kept = Kept::new();
    let (request, _) = kept.request();
    let again = || Resource::new_borrow(request.rep());
    let method = |length: usize| Method::Other("M".repeat(length));
    assert_eq!(kept.http().set_method(again(), method(NAME)).unwrap(), Ok(()));
    assert_eq!(kept.http().set_method(again(), method(NAME + 1)).unwrap(), Err(()));
    assert_eq!(kept.http().set_authority(again(), Some("a".repeat(NAME))).unwrap(), Ok(()));
    assert_eq!(kept.http().set_authority(again(), Some("a".repeat(NAME + 1))).unwrap(), Err(()));
}
