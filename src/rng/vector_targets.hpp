// The instruction sets that kernels are made for; to be included before anything of Highway.
//
// With Debian's Highway 1.0.3 on x86-64 these are AVX-512, AVX2, SSE4 and, for machines older than
// 2008, plain code. A kernel file is included once for each by hwy/foreach_target.h.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
