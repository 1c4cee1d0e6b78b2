// What the program has of C++: each part returns when it works, and throws a Failure otherwise.

#include "shapes.h"

#include <algorithm>
#include <any>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <format>
#include <fstream>
#include <future>
#include <iomanip>
#include <iostream>
#include <limits>
#include <locale>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <regex>
#include <shared_mutex>
#include <sstream>
#include <string>
#include <thread>
#include <variant>
#include <vector>

// Of main.rs.
extern "C" bool is_jemallocs(const void *block);

namespace {

struct Failure : std::logic_error {
  using std::logic_error::logic_error;
};

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition))                                                          \
      throw Failure(std::string(__FILE__) + ":" + std::to_string(__LINE__) +   \
                    ": " #condition);                                          \
  } while (false)

template <typename Thrown, typename Function>
[[nodiscard]] bool throws(Function function) {
  try {
    function();
  } catch (const Thrown &) {
    return true;
  }
  return false;
}

void exceptions() {
  int destroyed = 0;
  try {
    sink(100, destroyed);
    CHECK(!"it throws");
  } catch (const std::exception &thrown) {
    CHECK(dynamic_cast<const Unshapely *>(&thrown));
    CHECK(std::string(thrown.what()) == "no shape at depth 0");
  }
  CHECK(destroyed == 101);
  CHECK(std::uncaught_exceptions() == 0);

  CHECK(throws<int>([] { throw 7; }));
  CHECK(throws<const char *>([] { throw "text"; }));
  CHECK(throws<std::out_of_range>([] { (void)std::string("ab").at(9); }));
  CHECK(throws<std::invalid_argument>([] { (void)std::stoi("none"); }));
  CHECK(throws<std::bad_any_cast>([] { (void)std::any_cast<int>(std::any()); }));
  CHECK(throws<std::bad_optional_access>([] { (void)std::optional<int>().value(); }));
  CHECK(throws<std::bad_variant_access>([] { (void)std::get<0>(std::variant<int, char>('a')); }));

  // One inside the other.
  try {
    try {
      throw Unshapely(5);
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  } catch (const std::exception &outer) {
    CHECK(std::string(outer.what()) == "outer");
    CHECK(throws<Unshapely>([&] { std::rethrow_if_nested(outer); }));
  }

  // Thrown again, later and in another thread.
  std::exception_ptr kept;
  try {
    throw Unshapely(6);
  } catch (...) {
    kept = std::current_exception();
  }
  int depth = 0;
  std::thread([&] {
    try {
      std::rethrow_exception(kept);
    } catch (const Unshapely &thrown) {
      depth = thrown.depth;
    }
  }).join();
  CHECK(depth == 6);
}

void types() {
  const auto square = shape(4), triangle = shape(3);
  CHECK(square->corners() == 4 && triangle->corners() == 3);
  CHECK(dynamic_cast<Square *>(square.get()));
  CHECK(!dynamic_cast<Triangle *>(square.get()));
  Named *named = dynamic_cast<Named *>(square.get());
  CHECK(named && dynamic_cast<Shape *>(named) == square.get());
  CHECK(!dynamic_cast<Named *>(triangle.get()));
  CHECK(throws<std::bad_cast>([&] { (void)dynamic_cast<Square &>(*triangle); }));
  const Shape &of_type = *square;
  CHECK(typeid(of_type) == typeid(Square) && typeid(of_type) != typeid(Triangle));
  CHECK(throws<Unshapely>([] { (void)shape(5); }));
}

void threads() {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> queue;
  bool done = false;
  long sum = 0;
  std::thread consumer([&] {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return done || !queue.empty(); });
      sum = std::accumulate(queue.begin(), queue.end(), sum);
      queue.clear();
      if (done)
        return;
    }
  });
  std::vector<std::thread> producers;
  for (int producer = 0; producer < 4; ++producer)
    producers.emplace_back([&] {
      for (int number = 1; number <= 1000; ++number) {
        std::lock_guard lock(mutex);
        queue.push_back(number);
        changed.notify_one();
      }
    });
  for (auto &producer : producers)
    producer.join();
  {
    std::lock_guard lock(mutex);
    done = true;
  }
  changed.notify_one();
  consumer.join();
  CHECK(sum == 4 * 500500);

  auto failing = std::async(std::launch::async, [] { return shape(9)->corners(); });
  CHECK(throws<Unshapely>([&] { (void)failing.get(); }));
  auto broken = std::promise<int>().get_future();
  CHECK(throws<std::future_error>([&] { (void)broken.get(); }));

  std::shared_timed_mutex shared;
  std::shared_lock reader(shared);
  auto writer = std::async(std::launch::async, [&] { return shared.try_lock_for(std::chrono::milliseconds(5)); });
  CHECK(!writer.get());

  std::once_flag once;
  std::atomic<int> calls = 0;
  CHECK(throws<Unshapely>([&] { std::call_once(once, [] { throw Unshapely(0); }); }));
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 4; ++caller)
      callers.emplace_back([&] { std::call_once(once, [&] { ++calls; }); });
  }
  CHECK(calls == 1);
  CHECK(std::thread::hardware_concurrency() > 0);
  CHECK(throws<std::system_error>([] { std::thread().join(); }));
}

std::atomic<int> constructed = 0, attempts = 0, lived = 0, died = 0;

struct Slow {
  Slow() {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (++attempts == 1)
      throw Unshapely(1);
    ++constructed;
  }
  std::string text = std::string(100, 'x');
};

struct Local {
  Local() { ++lived; }
  ~Local() { ++died; }
  std::string text = std::string(100, 'y');
};

thread_local Local local;

void initialisation() {
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&] {
      try {
        static Slow slow;
        CHECK(slow.text.size() == 100);
      } catch (const Unshapely &) {
        ++failed;
      }
      local.text += "z";
      CHECK(local.text.size() == 101);
    });
  for (auto &thread : threads)
    thread.join();
  // The first attempt throws, another thread's succeeds, and the others wait for it.
  CHECK(failed == 1 && attempts == 2 && constructed == 1);
  CHECK(lived == 8 && died == 8);
}

struct Grouping : std::numpunct<char> {
  char do_thousands_sep() const override { return '.'; }
  char do_decimal_point() const override { return ','; }
  std::string do_grouping() const override { return "\3"; }
};

void text() {
  std::map<std::string, std::vector<int>> words;
  std::istringstream input("one two two three three three");
  int position = 0;
  for (std::string word; input >> word;)
    words[word].push_back(position++);
  CHECK(words.size() == 3 && words["three"].size() == 3);
  CHECK(words.begin()->first == "one");

  const std::locale german(std::locale::classic(), new Grouping);
  std::ostringstream output;
  output.imbue(german);
  output << std::fixed << std::setprecision(2) << 1234567.891 << ' ' << std::setw(8) << std::setfill('0') << 12345;
  CHECK(output.str() == "1.234.567,89 0012.345");
  CHECK(std::format(german, "{:L} {:>5} {:#x} {:.3e}", 1234567, "ab", 255, 0.5) == "1.234.567    ab 0xff 5.000e-01");
  double number = 0;
  std::istringstream grouped("1.234,5");
  grouped.imbue(german);
  CHECK(grouped >> number && number == 1234.5);

  // musl knows one language, and every letter.
  const std::locale named("C.UTF-8");
  CHECK(named.name() == "C.UTF-8");
  CHECK(std::toupper(L'ä', named) == L'Ä' && std::isalpha(L'ж', named) && !std::isalpha(L'7', named));
  CHECK(std::isalpha('a', std::locale::classic()) && !std::isalpha(' ', std::locale::classic()));
  CHECK(named(std::string("a"), std::string("b")) && !named(std::string("b"), std::string("a")));
  std::wostringstream wide;
  wide.imbue(named);
  wide << L"größer " << 42;
  CHECK(wide.str() == L"größer 42");
  std::mbstate_t state{};
  const std::string bytes = "ж";
  const char *next = nullptr;
  wchar_t letter = 0, *end = nullptr;
  const auto &conversion = std::use_facet<std::codecvt<wchar_t, char, std::mbstate_t>>(named);
  CHECK(conversion.in(state, bytes.data(), bytes.data() + bytes.size(), next, &letter, &letter + 1, end) == std::codecvt_base::ok);
  CHECK(letter == L'ж');

  CHECK(std::regex_replace("a1b22", std::regex("[[:digit:]]+"), "#") == "a#b#");
  CHECK(std::to_string(0.1 + 0.2) == "0.300000");
  char digits[32];
  const auto written = std::to_chars(digits, digits + sizeof digits, 0.1 + 0.2);
  CHECK(std::string(digits, written.ptr) == "0.30000000000000004");
  double parsed = 0;
  CHECK(std::from_chars(digits, written.ptr, parsed).ec == std::errc() && parsed == 0.1 + 0.2);
  const long double third = 1.0L / 3;
  std::ostringstream exact;
  exact << std::setprecision(40) << third;
  CHECK(std::stold(exact.str()) == third && static_cast<double>(third) != third);

  std::cout << "standard output is C++'s" << std::endl;
  std::printf("and C's\n");
  CHECK(std::cout.good());
}

void files() {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / std::format("stranger-{}", std::random_device()());
  CHECK(fs::create_directories(folder / "a" / "b"));
  std::ofstream(folder / "a" / "text") << "twelve bytes";
  CHECK(fs::file_size(folder / "a" / "text") == 12);
  fs::rename(folder / "a" / "text", folder / "a" / "b" / "moved");
  fs::create_symlink("b/moved", folder / "a" / "link");
  fs::copy_file(folder / "a" / "link", folder / "copy");
  std::string content;
  std::getline(std::ifstream(folder / "copy"), content);
  CHECK(content == "twelve bytes");
  std::vector<std::string> found;
  for (const auto &entry : fs::recursive_directory_iterator(folder))
    found.push_back(entry.path().lexically_relative(folder).string());
  std::sort(found.begin(), found.end());
  CHECK((found == std::vector<std::string>{"a", "a/b", "a/b/moved", "a/link", "copy"}));
  const auto age = fs::file_time_type::clock::now() - fs::last_write_time(folder / "copy");
  CHECK(age < std::chrono::minutes(1) && age > -std::chrono::minutes(1));
  CHECK(fs::space(folder).capacity > 0);
  try {
    (void)fs::file_size(folder / "absent");
    CHECK(!"it throws");
  } catch (const fs::filesystem_error &error) {
    CHECK(error.code() == std::errc::no_such_file_or_directory);
    CHECK(error.path1() == folder / "absent");
  }
  CHECK(fs::remove_all(folder) == 6 && !fs::exists(folder));
}

void time() {
  using namespace std::chrono;
  const auto start = steady_clock::now();
  std::this_thread::sleep_for(milliseconds(10));
  CHECK(steady_clock::now() - start >= milliseconds(10));
  CHECK(system_clock::now() > sys_days(2024y / January / 1));
  const sys_seconds moment = sys_days(2024y / February / 29) + 13h + 5min;
  CHECK(std::format("{:%F %T %a}", moment) == "2024-02-29 13:05:00 Thu");
  const std::time_t seconds = system_clock::to_time_t(moment);
  std::ostringstream output;
  output << std::put_time(std::gmtime(&seconds), "%d %B %Y");
  CHECK(output.str() == "29 February 2024");
}

struct alignas(256) Wide {
  char bytes[256];
};

// In a register that the compiler knows nothing of, so that it calls new.
template <typename T> T *opaque(T *pointer) {
  asm volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

template <typename T> void is_ours(const T *block, std::size_t alignment) {
  CHECK(block != nullptr);
  CHECK(is_jemallocs(block));
  CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
}

// A number that the compiler does not know.
std::size_t opaque(std::size_t number) {
  asm volatile("" : "+r"(number));
  return number;
}

void memory() {
  for (std::size_t size : {1, 24, 1000, 70000, 5000000}) {
    const auto small = std::align_val_t(32), page = std::align_val_t(4096);
    void *block = opaque(::operator new(size));
    is_ours(block, 1);
    std::memset(block, 1, size);
    ::operator delete(block, size);
    is_ours(block = opaque(::operator new[](size)), 1);
    ::operator delete[](block);
    is_ours(block = opaque(::operator new(size, std::nothrow)), 1);
    ::operator delete(block, std::nothrow);
    is_ours(block = opaque(::operator new[](size, std::nothrow)), 1);
    ::operator delete[](block, std::nothrow);
    is_ours(block = opaque(::operator new(size, small)), 32);
    ::operator delete(block, size, small);
    is_ours(block = opaque(::operator new[](size, page)), 4096);
    ::operator delete[](block, page);
    is_ours(block = opaque(::operator new(size, page, std::nothrow)), 4096);
    ::operator delete(block, page, std::nothrow);
    is_ours(block = opaque(::operator new[](size, small, std::nothrow)), 32);
    ::operator delete[](block, small, std::nothrow);
  }
  const std::unique_ptr<Wide> wide(opaque(new Wide));
  is_ours(wide.get(), 256);
  const std::unique_ptr<Wide[]> several(opaque(new Wide[opaque(3)]));
  is_ours(several.get(), 256);
  const std::unique_ptr<std::string[]> strings(opaque(new std::string[opaque(5)]));
  is_ours(strings.get(), 1);
  is_ours(std::string(100, 'x').data(), 1);
  is_ours(std::make_shared<std::vector<int>>(100)->data(), 1);

  const std::size_t impossible = opaque(std::numeric_limits<std::size_t>::max() / 2 - 4096);
  CHECK(throws<std::bad_alloc>([&] { (void)opaque(::operator new(impossible)); }));
  CHECK(throws<std::bad_alloc>([&] { (void)opaque(::operator new(impossible, std::align_val_t(64))); }));
  CHECK(throws<std::bad_alloc>([&] { (void)opaque(new char[impossible]); }));
  CHECK(throws<std::bad_alloc>([&] { (void)opaque(new Wide[impossible]); }));
  CHECK(throws<std::length_error>([&] { (void)std::vector<Wide>(impossible); }));
  CHECK(opaque(::operator new(impossible, std::nothrow)) == nullptr);
  CHECK(opaque(::operator new(impossible, std::align_val_t(64), std::nothrow)) == nullptr);

  static int asked;
  std::set_new_handler([] {
    ++asked;
    std::set_new_handler(nullptr);
  });
  CHECK(throws<std::bad_alloc>([&] { (void)opaque(::operator new(impossible)); }));
  CHECK(asked == 1);
}

struct Part {
  const char *name;
  void (*run)();
};

constexpr Part parts[] = {
    {"exceptions", exceptions},
    {"types", types},
    {"threads", threads},
    {"initialisation", initialisation},
    {"text", text},
    {"files", files},
    {"time", time},
    {"memory", memory},
};

} // namespace

extern "C" bool run_parts() {
  bool all = true;
  for (const Part &part : parts) {
    try {
      part.run();
      std::cout << part.name << ": works" << std::endl;
    } catch (const std::exception &failure) {
      std::cerr << part.name << ": " << failure.what() << std::endl;
      all = false;
    }
  }
  return all;
}

// Calls Rust, which calls `throw_unshapely`; returns the depth of what comes back.
extern "C" int catch_from(void (*rust)()) {
  try {
    rust();
  } catch (const Unshapely &thrown) {
    return thrown.depth;
  }
  return -1;
}

extern "C" void throw_unshapely(int depth) { throw Unshapely(depth); }

// Calls Rust, which panics; the panic destroys what is here, and goes on.
extern "C" void pass_on(void (*rust)(), int *destroyed) {
  struct Counting {
    int *destroyed;
    ~Counting() { ++*destroyed; }
  } counting{destroyed};
  const std::string text(100, 'x');
  rust();
}
