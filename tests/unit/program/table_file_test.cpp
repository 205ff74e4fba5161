#include "runtime/program/table_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

saved_table_ptr one_name(const std::string& address) {
  return dns::test::build({dns::test::service("a", "a.example", {address})}, {dns::test::external("a")})
      .table;
}

std::uint8_t last_byte(const dns::hijack_table& table) {
  return dns::test::find(table, "a.example")->v4.at(0)[3];
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator(file), {}};
}

struct table_file : ::testing::Test {
  test::temporary_folder folder;
  std::string path = folder.path("table");
};

TEST_F(table_file, is_read_as_it_was_stored) {
  ASSERT_TRUE(store_table(path, *one_name("10.0.0.1")));
  ASSERT_TRUE(store_table(path, *one_name("10.0.0.2")));
  const auto loaded = load_table(path);
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ(last_byte(**loaded), 2);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

// Who reads it meanwhile, and a machine that stops, must not meet half of it.
TEST_F(table_file, is_replaced_as_a_whole) {
  ASSERT_TRUE(store_table(path, *one_name("10.0.0.1")));
  std::ifstream reader(path, std::ios::binary);
  const auto old = content_of(path);
  ASSERT_TRUE(store_table(path, *one_name("10.0.0.2")));
  EXPECT_EQ(std::string(std::istreambuf_iterator(reader), {}), old);
  EXPECT_NE(content_of(path), old);
}

TEST_F(table_file, stays_as_it_was_when_a_new_one_cannot_be_written) {
  ASSERT_TRUE(store_table(path, *one_name("10.0.0.1")));
  const auto old = content_of(path);
  const auto expect_failure = [&](const char* why) {
    const auto stored = store_table(path, *one_name("10.0.0.2"));
    ASSERT_FALSE(stored);
    EXPECT_THAT(stored.error().message, HasSubstr(why));
    EXPECT_EQ(content_of(path), old);
    std::filesystem::remove(path + ".new");
  };
  std::filesystem::create_directory(path + ".new");
  expect_failure("Is a directory");
  std::filesystem::create_symlink("/dev/full", path + ".new");
  expect_failure("No space left");
}

TEST_F(table_file, that_is_not_there_yet_is_no_error) {
  const auto loaded = load_table(path);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(*loaded, nullptr);
}

TEST_F(table_file, that_cannot_be_used_is_named_with_the_reason) {
  folder.write("table", "hello");
  EXPECT_THAT(load_table(path).error().message, HasSubstr(path + ": it is no saved DNS table"));
  EXPECT_THAT(load_table(folder.path()).error().message, HasSubstr("it is no saved DNS table"));
  EXPECT_THAT(load_table("/dev/zero").error().message, HasSubstr("it is no saved DNS table"));
  EXPECT_THAT(store_table(folder.path("no/folder"), *one_name("10.0.0.1")).error().message,
              HasSubstr("No such file or directory"));
}

TEST_F(table_file, has_what_was_saved_last_when_the_saver_ends) {
  {
    table_saver saver(path, milliseconds(60'000));
    for (int i = 1; i <= 9; ++i) saver.save(one_name("10.0.0." + std::to_string(i)));
  }
  EXPECT_EQ(last_byte(**load_table(path)), 9);
}

TEST_F(table_file, that_cannot_be_written_ends_nothing) {
  std::filesystem::create_directory(path);  // a rename over it fails
  {
    table_saver(path, milliseconds(0)).save(one_name("10.0.0.1"));
  }
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST_F(table_file, that_could_not_be_written_is_tried_again_without_another_change) {
  std::filesystem::create_directory(path);
  table_saver saver(path, milliseconds(1));
  saver.save(one_name("10.0.0.7"));
  // Its first try is over when what it writes beside the file is there.
  const auto written = [this] {
    const auto loaded = load_table(path);
    return loaded && *loaded && last_byte(**loaded) == 7;
  };
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!std::filesystem::exists(path + ".new") && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  EXPECT_FALSE(written());
  std::filesystem::remove(path);
  while (!written() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_TRUE(written());
}

}  // namespace
}  // namespace egress
