#pragma once
/// Reports of a results document: pure functions of it, for a terminal, a forge and a browser.
#include "tern/experiment/report/heat_map.hpp"
#include "tern/experiment/report/html.hpp"
#include "tern/experiment/report/markdown.hpp"
