// Columns: a structure-of-arrays block of numbers, one contiguous aligned column a variable.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "base/contract.hpp"

namespace trialwright::base {

// Allocates on cache lines, so that a column can be loaded by whole vectors. New elements are left as
// the memory was: a column that no trial fills is never touched, and takes no memory of the machine.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t k_alignment{64};
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), k_alignment)); }
  void deallocate(T* p, std::size_t) noexcept { ::operator delete(p, k_alignment); }
  template <class U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;
  }
  template <class U, class... Arguments>
  void construct(U* p, Arguments&&... arguments) {
    ::new (static_cast<void*>(p)) U(std::forward<Arguments>(arguments)...);
  }
  friend bool operator==(AlignedAllocator, AlignedAllocator) { return true; }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

// n_columns columns of n_rows numbers each; every column starts on a cache line.
template <class T>
class Columns {
 public:
  Columns() = default;
  Columns(std::size_t n_rows, std::size_t n_columns) { resize(n_rows, n_columns); }

  // Contents are unspecified afterwards. Never shrinks the memory held.
  void resize(std::size_t n_rows, std::size_t n_columns) {
    constexpr std::size_t per_line = 64 / sizeof(T);
    n_rows_ = n_rows;
    n_columns_ = n_columns;
    stride_ = (n_rows + per_line - 1) / per_line * per_line;
    if (values_.size() < stride_ * n_columns) values_.resize(stride_ * n_columns);
  }
  std::size_t n_rows() const { return n_rows_; }
  std::size_t n_columns() const { return n_columns_; }
  std::size_t stride() const { return stride_; }
  T* data() { return values_.data(); }

  std::span<T> operator[](std::size_t i_column) {
    TRIALWRIGHT_EXPECT(i_column < n_columns_);
    return {values_.data() + i_column * stride_, n_rows_};
  }
  std::span<const T> operator[](std::size_t i_column) const {
    TRIALWRIGHT_EXPECT(i_column < n_columns_);
    return {values_.data() + i_column * stride_, n_rows_};
  }

 private:
  AlignedVector<T> values_;
  std::size_t n_rows_ = 0;
  std::size_t n_columns_ = 0;
  std::size_t stride_ = 0;
};

}  // namespace trialwright::base
