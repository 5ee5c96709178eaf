// Keeps the rules.
#pragma once

#include <CLI/CLI.hpp>

#include "high/high.hpp"
