#pragma once
/// Reports of what was measured and found: pure functions, for a terminal, a forge and a browser.
#include "tern/experiment/report/html.hpp"
#include "tern/experiment/report/markdown.hpp"
