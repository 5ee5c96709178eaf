// Small dense matrices: what a handful of targets and parameters need.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace trialwright::calibrate {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // [row][column], rows of equal length

Matrix zeros(std::size_t n_rows, std::size_t n_columns);
Matrix transpose(const Matrix& a);
Matrix product(const Matrix& a, const Matrix& b);
Vector product(const Matrix& a, const Vector& x);
double dot(const Vector& x, const Vector& y);

// The inverse, by Gauss-Jordan elimination with partial pivoting after scaling rows; nullopt where a
// pivot is below 1e-12 of its row.
std::optional<Matrix> inverse(Matrix a);

}  // namespace trialwright::calibrate
