//! The interfaces that kwasm implements itself. The ones that they refer to are wasmtime's.

wasmtime::component::bindgen!({
    path: "wit",
    inline: "
        package kwasm:host;
        world sockets {
            import wasi:sockets/tcp@0.2.12;
            import wasi:sockets/tcp-create-socket@0.2.12;
            import wasi:sockets/udp-create-socket@0.2.12;
            import wasi:sockets/ip-name-lookup@0.2.12;
        }
    ",
    world: "kwasm:host/sockets",
    imports: { default: trappable },
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:sockets/network": wasmtime_wasi::p2::bindings::sockets::network,
        "wasi:sockets/udp": wasmtime_wasi::p2::bindings::sockets::udp,
        "wasi:sockets/tcp.tcp-socket": crate::runtime::sockets::held::TcpSocket,
        "wasi:sockets/ip-name-lookup.resolve-address-stream": crate::runtime::sockets::held::Found,
    },
    trappable_error_type: { "wasi:sockets/network.error-code" => wasmtime_wasi::p2::SocketError },
    require_store_data_send: true,
});
