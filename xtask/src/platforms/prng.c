// The one function of Windows' bcryptprimitives.dll, with which programs of Rust and of Go begin, and which Wine lacks before 9.0.
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
  return SystemFunction036(data, (ULONG)length);
}
