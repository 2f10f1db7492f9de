(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") i64 1)
  (data (i64.const 8) "hello by 64 bits\n")
  (func (export "_start")
    ;; One piece: where it is, how long it is.
    (i32.store (i64.const 0) (i32.const 8))
    (i32.store (i64.const 4) (i32.const 17))
    (call $exit (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))
