;; As Rust makes it of a program that has the crate wasip2 among its dependencies, and uses nothing of it.
(module
  (@custom "component-type:wit-bindgen:0.62.0:wasi:cli@0.2.12:imports" "")
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const 12))))
