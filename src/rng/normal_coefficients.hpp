// Coefficients of the single-precision inverse normal: one polynomial of degree 7 an octave of the
// tail.
//
// With m = min(word, ~word) and f = m + 1/2 in single precision, octave o = 30 - floor(log2 f) holds
// the tail probabilities p = f / 2^32 in [2^-(o+2), 2^-(o+1)). Its variable is d = 2 - f / 2^(30-o) in
// (0, 1], from the centre outwards, and |z| = sum of c[k] d^k. The coefficients minimise the largest
// |error| of the polynomial (least squares, reweighted after Lawson 1961, in extended precision), each
// rounded before the next is fitted and the two ends of the octave held, so that |z| grows across every
// boundary.
#pragma once

#include <cstddef>

namespace trialwright::rng {

inline constexpr std::size_t k_normal_terms = 8;
inline constexpr std::size_t k_normal_octaves = 32;

// The largest f used: the float below 2^31, the centre of the distribution.
inline constexpr float k_largest_normal_argument = 0x1.fffffep30f;

// [k][o]: a row is one coefficient of all octaves, so that a vector register holds those of the first 8
// or 16.
alignas(64) inline constexpr float k_normal_coefficients[k_normal_terms][k_normal_octaves] = {
    {0x0p+0f,        0x1.5956b8p-1f, 0x1.267d4cp+0f, 0x1.88bc2p+0f,  0x1.dcdbfep+0f, 0x1.13b22ap+1f,
     0x1.357292p+1f, 0x1.547d18p+1f, 0x1.715c7cp+1f, 0x1.8c735p+1f,  0x1.a60a6ep+1f, 0x1.be596ep+1f,
     0x1.d58bdp+1f,  0x1.ebc462p+1f, 0x1.008fbap+2f, 0x1.0ada3ap+2f, 0x1.14cb7ap+2f, 0x1.1e6bc8p+2f,
     0x1.27c24p+2f,  0x1.30d502p+2f, 0x1.39a966p+2f, 0x1.424418p+2f, 0x1.4aa938p+2f, 0x1.52dc6ep+2f,
     0x1.5ae102p+2f, 0x1.62b9dcp+2f, 0x1.6a69a4p+2f, 0x1.71f2b8p+2f, 0x1.795744p+2f, 0x1.80994p+2f,
     0x1.87ba78p+2f, 0x1.8ebc96p+2f},
    {0x1.40da12p-1f, 0x1.92ce44p-2f, 0x1.36e81ep-2f, 0x1.04339p-2f,  0x1.c6addap-3f, 0x1.97f3dep-3f,
     0x1.74b006p-3f, 0x1.58e12ap-3f, 0x1.425336p-3f, 0x1.2f89ecp-3f, 0x1.1f9a16p-3f, 0x1.11d968p-3f,
     0x1.05df7cp-3f, 0x1.f695a2p-4f, 0x1.e3cc52p-4f, 0x1.d2b914p-4f, 0x1.c3696p-4f,  0x1.b58f1cp-4f,
     0x1.a8cbcp-4f,  0x1.9d22f8p-4f, 0x1.924ba2p-4f, 0x1.883b8ap-4f, 0x1.7ee718p-4f, 0x1.7651fep-4f,
     0x1.6e0dc8p-4f, 0x1.66890ap-4f, 0x1.5f3e8cp-4f, 0x1.588598p-4f, 0x1.521d66p-4f, 0x1.4c09e2p-4f,
     0x1.465bf6p-4f, 0x1.40bf4ap-4f},
    {-0x1.49e9c6p-13f, 0x1.aa3682p-5f, 0x1.b135e2p-5f, 0x1.94b9dap-5f, 0x1.76dca2p-5f, 0x1.5ce4e2p-5f,
     0x1.461e34p-5f,   0x1.34f1f2p-5f, 0x1.23e2f8p-5f, 0x1.15cd9ep-5f, 0x1.095a34p-5f, 0x1.fe8b0ap-6f,
     0x1.e98ee8p-6f,   0x1.d7dcf4p-6f, 0x1.c3cc4ep-6f, 0x1.be9b06p-6f, 0x1.b1d91p-6f,  0x1.a14caep-6f,
     0x1.97b794p-6f,   0x1.8aa03cp-6f, 0x1.82df7ep-6f, 0x1.7cdf94p-6f, 0x1.754c9ep-6f, 0x1.667c82p-6f,
     0x1.67181ap-6f,   0x1.58bedap-6f, 0x1.58ab0ap-6f, 0x1.4eee24p-6f, 0x1.492906p-6f, 0x1.4440cp-6f,
     0x1.3a5038p-6f,   0x1.3e1d72p-6f},
    {0x1.5a2c52p-5f, 0x1.511b2ap-6f, 0x1.289734p-6f, 0x1.0fc05ep-6f, 0x1.fd5834p-7f, 0x1.dd236ap-7f,
     0x1.d23344p-7f, 0x1.9514c4p-7f, 0x1.92b11ap-7f, 0x1.81321cp-7f, 0x1.73c71ep-7f, 0x1.54e744p-7f,
     0x1.5824bcp-7f, 0x1.4fa766p-7f, 0x1.791576p-7f, 0x1.041aaap-7f, 0x1.ee0816p-8f, 0x1.233704p-7f,
     0x1.0ac1ecp-7f, 0x1.23418ap-7f, 0x1.08915cp-7f, 0x1.c01124p-8f, 0x1.a25398p-8f, 0x1.1da864p-7f,
     0x1.764a16p-8f, 0x1.0d4c94p-7f, 0x1.7a277ap-8f, 0x1.c5b1d4p-8f, 0x1.bb2586p-8f, 0x1.a38af2p-8f,
     0x1.03f7bep-7f, 0x1.305f24p-8f},
    {-0x1.2bb832p-8f, 0x1.194ddap-9f,  0x1.0d4c4cp-9f,  0x1.008eb4p-9f,   0x1.7b14f2p-10f,
     0x1.527c9ep-10f, -0x1.4d774p-12f, 0x1.63e606p-9f,  0x1.3d44b8p-10f,  0x1.22a1cp-10f,
     0x1.c6ca06p-11f, 0x1.14ee5p-9f,   0x1.b36264p-11f, 0x1.10a294p-11f,  -0x1.0a3eccp-8f,
     0x1.4e72dcp-8f,  0x1.653016p-8f,  0x1.08207p-10f,  0x1.35f186p-9f,   -0x1.22e64ep-12f,
     0x1.6be116p-10f, 0x1.1a4a24p-8f,  0x1.4d3222p-8f,  -0x1.f8db56p-10f, 0x1.8d1afap-8f,
     -0x1.6ad19p-10f, 0x1.4c4a44p-8f,  0x1.7c907cp-10f, 0x1.942c06p-10f,  0x1.2106c2p-9f,
     -0x1.3a5ce4p-9f, 0x1.ac0cap-8f},
    {0x1.d5c3cp-7f,    0x1.674204p-7f,   0x1.4a18c6p-7f,   0x1.2fea8cp-7f, 0x1.2c227cp-7f,
     0x1.1d26cp-7f,    0x1.5990ecp-7f,   0x1.77a1bcp-8f,   0x1.e0b8f8p-8f, 0x1.d0c4a8p-8f,
     0x1.cf7a4p-8f,    0x1.4e9efap-8f,   0x1.ad35f8p-8f,   0x1.bb779ap-8f, 0x1.b30adep-7f,
     -0x1.595638p-13f, -0x1.c51ep-11f,   0x1.5a401cp-8f,   0x1.a9079cp-9f, 0x1.bfe3f2p-8f,
     0x1.1ac1dap-8f,   -0x1.9f977cp-20f, -0x1.495a64p-10f, 0x1.1dfd46p-7f, -0x1.7ce74cp-9f,
     0x1.f9a584p-8f,   -0x1.b9a5c8p-10f, 0x1.c1d114p-9f,   0x1.a553b6p-9f, 0x1.1e0f98p-9f,
     0x1.1e2386p-7f,   -0x1.163dep-8f},
    {-0x1.15259cp-7f, -0x1.d7d6b4p-8f, -0x1.b34bbap-8f, -0x1.91e906p-8f, -0x1.8dbdfcp-8f,
     -0x1.7a9c7cp-8f, -0x1.d78a5ep-8f, -0x1.f15a8cp-9f, -0x1.40b6e8p-8f, -0x1.366144p-8f,
     -0x1.35b9ecp-8f, -0x1.be59c4p-9f, -0x1.1f36f2p-8f, -0x1.2b22p-8f,   -0x1.3133c6p-7f,
     0x1.46e05ep-12f, 0x1.a7233ap-11f, -0x1.d146e8p-9f, -0x1.18faaap-9f, -0x1.338f56p-8f,
     -0x1.7c23f6p-9f, 0x1.522144p-13f, 0x1.155732p-10f, -0x1.8f704ep-8f, 0x1.24fa2p-9f,
     -0x1.6017bep-8f, 0x1.624e9cp-10f, -0x1.2e320cp-9f, -0x1.1a9646p-9f, -0x1.769e5p-10f,
     -0x1.915f9cp-8f, 0x1.a077d8p-9f},
    {0x1.21bbd4p-8f,  0x1.04ea02p-8f,  0x1.e268b4p-9f,  0x1.bfed48p-9f,  0x1.af73fep-9f,
     0x1.992f6ap-9f,  0x1.c5e338p-9f,  0x1.4004cp-9f,   0x1.5ee8b4p-9f,  0x1.5244dep-9f,
     0x1.4b8526p-9f,  0x1.1767ap-9f,   0x1.348a0cp-9f,  0x1.37421ep-9f,  0x1.e4d93cp-9f,
     0x1.f59fd6p-11f, 0x1.9e23d2p-11f, 0x1.034edp-9f,   0x1.9baefp-10f,  0x1.286ad8p-9f,
     0x1.c70a8p-10f,  0x1.c39dep-11f,  0x1.3588c8p-11f, 0x1.532cdp-9f,   0x1.d7c6c4p-13f,
     0x1.343d1ap-9f,  0x1.d1e2c2p-12f, 0x1.7dde2ep-10f, 0x1.6f9436p-10f, 0x1.374a5cp-10f,
     0x1.4796d2p-9f,  -0x1.18c318p-13f},
};

}  // namespace trialwright::rng
