(module
  (memory (export "memory") 1)
  (tag $thrown)
  (func (export "_start") try throw $thrown catch $thrown end))
