(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (tag $thrown (param i32))
  (func $throws (throw $thrown (i32.const 4)))
  (func (export "_start")
    (call $exit
      (block $caught (result i32)
        (try_table (catch $thrown $caught) (call $throws))
        (i32.const 1)))))
