#include "uses-cxx/src/words.h"

#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

uint64_t count_words(rust::Str text, uint32_t threads) {
  std::map<std::string, uint64_t> counts;
  std::mutex lock;
  std::vector<std::thread> running;
  for (uint32_t i = 0; i < threads; i++) {
    running.emplace_back([&] {
      std::istringstream words{std::string(text)};
      for (std::string word; words >> word;) {
        std::lock_guard<std::mutex> held(lock);
        counts[word]++;
      }
    });
  }
  for (auto &thread : running) thread.join();
  uint64_t total = 0;
  for (auto &[word, count] : counts) total += count;
  return total;
}

void fail(rust::Str message) { throw std::runtime_error(std::string(message)); }
