/// doctest's main, with one addition: tests that a machine cannot run are named.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <iostream>

namespace {

struct SkippedTests : doctest::IReporter {
  explicit SkippedTests(const doctest::ContextOptions&) {}

  void test_case_skipped(const doctest::TestCaseData& test) override {
    if (test.m_skip) std::cout << "skipped: " << test.m_name << '\n';
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
};

DOCTEST_REGISTER_LISTENER("skipped", 1, SkippedTests);

}  // namespace
