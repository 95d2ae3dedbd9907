/// tern-shootout: which small adapter serves people best on one shared model? See README.md beside this file.
///   tern-shootout read --users people      what becomes of the files; needs no base
///   tern-shootout plan --users people      what it would cost
///   tern-shootout run --users people       train, evaluate, judge; run again to go on after an interruption
///   tern-shootout report --out shootout    the reports anew from results.json
#include "command_line.hpp"

int main(int argc, char** argv) { return program::shootout(argc, argv, tern::contenders()); }
