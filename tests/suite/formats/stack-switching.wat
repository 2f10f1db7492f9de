(module
  (type $task (func))
  (type $continuation (cont $task))
  (memory (export "memory") 1)
  (func $nothing)
  (elem declare func $nothing)
  (func (export "_start") (resume $continuation (cont.new $continuation (ref.func $nothing)))))
