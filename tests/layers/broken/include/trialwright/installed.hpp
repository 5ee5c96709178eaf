// Breaks the rules: an installed header reaches into the sources.
#pragma once

#include "low/low.hpp"
