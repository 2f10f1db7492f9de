//! The interfaces of wasi:sockets 0.3, which kwasm implements itself.

use wasmtime_wasi::TrappableError;

/// The error of a function of a socket: told to the guest, or a trap.
#[expect(unreachable_pub, reason = "the generated code names it")]
pub type SocketError = TrappableError<wasi::sockets::types::ErrorCode>;

/// A UDP socket, of which there is none.
#[expect(unreachable_pub, reason = "the generated code re-exports it")]
pub enum NoSocket {}

wasmtime::component::bindgen!({
    path: "wit/wasi3",
    inline: "
        package kwasm:host;
        world sockets {
            import wasi:sockets/types@0.3.0;
            import wasi:sockets/ip-name-lookup@0.3.0;
        }
    ",
    world: "kwasm:host/sockets",
    imports: {
        "wasi:sockets/types.[method]tcp-socket.listen": store | trappable,
        "wasi:sockets/types.[method]tcp-socket.send": store | trappable,
        "wasi:sockets/types.[method]tcp-socket.receive": store | trappable,
        default: trappable,
    },
    with: {
        "wasi:clocks": wasmtime_wasi::p3::bindings::clocks,
        "wasi:sockets/types.tcp-socket": crate::runtime::sockets::held::TcpSocket,
        "wasi:sockets/types.udp-socket": crate::runtime::sockets::wasi3::bindings::NoSocket,
    },
    trappable_error_type: {
        "wasi:sockets/types.error-code" => crate::runtime::sockets::wasi3::bindings::SocketError,
    },
    require_store_data_send: true,
});
