(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (type $pair (struct (field (mut i32)) (field (ref null $pair))))
  (func (export "_start") (local $i i32) (local $last (ref null $pair))
    (loop $again
      ;; Most of them are garbage at once.
      (local.set $last (struct.new $pair (local.get $i) (ref.null $pair)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000006))))
    (call $exit (i32.sub (struct.get $pair 0 (local.get $last)) (i32.const 1000000)))))
