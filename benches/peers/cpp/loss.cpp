// The FTP loss workload as a bare C++ loop over std::priority_queue: the bare Rust loop, line for line.
//
// It has the dice of `workload/src/dice.rs` (xoshiro256++ seeded by splitmix64, inversion), so that both must refuse the same clients.

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <queue>
#include <sys/resource.h>
#include <utility>
#include <vector>

namespace {

constexpr std::uint64_t way_ns = 25'000'000;
constexpr double think_s = 3.3;

// xoshiro256++ 1.0 by D. Blackman and S. Vigna, https://prng.di.unimi.it
class Dice {
public:
    Dice(std::uint64_t seed, double rate) : gap_ns_(1e9 / rate) {
        for (auto& word : s_) {
            seed += 0x9e3779b97f4a7c15;
            std::uint64_t z = seed;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            word = z ^ (z >> 31);
        }
    }
    std::uint64_t gap_ns() { return static_cast<std::uint64_t>(gap_ns_ * exponential()); }
    std::uint64_t think_ns() { return static_cast<std::uint64_t>(think_s * 1e9 * exponential()); }

private:
    static std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
    std::uint64_t next() {
        const std::uint64_t result = rotl(s_[0] + s_[3], 23) + s_[0];
        const std::uint64_t t = s_[1] << 17;
        s_[2] ^= s_[0];
        s_[3] ^= s_[1];
        s_[1] ^= s_[2];
        s_[0] ^= s_[3];
        s_[2] ^= t;
        s_[3] = rotl(s_[3], 45);
        return result;
    }
    double exponential() {
        return -std::log(1.0 - static_cast<double>(next() >> 11) / static_cast<double>(std::uint64_t{1} << 53));
    }
    std::array<std::uint64_t, 4> s_{};
    double gap_ns_;
};

struct Slice {
    std::uint64_t arrived = 0, refused = 0;
    double busy = 0;
};

double cpu_s() {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    const auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(u.ru_utime) + seconds(u.ru_stime);
}

// The books of `workload/src/tally.rs`.
class Tally {
public:
    Tally(std::uint32_t limit, std::uint64_t end_ns, std::uint32_t slices)
        : limit_(limit), begin_cpu_s_(cpu_s()), slice_ns_(end_ns / slices), slice_ends_(slice_ns_), end_ns_(end_ns) {}

    std::uint64_t events = 0, clients = 0;

    bool knock(std::uint64_t now) {
        pass(now);
        ++open_.arrived;
        if (busy_ < limit_) {
            ++busy_;
            return true;
        }
        ++open_.refused;
        return false;
    }
    void leave(std::uint64_t now) {
        pass(now);
        --busy_;
    }
    void print() {
        const double took = cpu_s() - begin_cpu_s_;
        rusage u{};
        getrusage(RUSAGE_SELF, &u);
        pass(end_ns_);
        std::printf("{\"events\":%lu,\"clients\":%lu,\"cpu_s\":%.6f,\"rss_kib\":%ld,\"slices\":[", events, clients, took,
                    u.ru_maxrss);
        const char* comma = "";
        for (const auto& slice : slices_) {
            std::printf("%s{\"arrived\":%lu,\"refused\":%lu,\"busy\":%.3f}", comma, slice.arrived, slice.refused, slice.busy);
            comma = ",";
        }
        std::printf("]}\n");
    }

private:
    void pass(std::uint64_t now) {
        while (now >= slice_ends_ && slice_ends_ <= end_ns_) {
            hold(slice_ends_);
            open_.busy = area_ / static_cast<double>(slice_ns_);
            slices_.push_back(open_);
            open_ = Slice{};
            area_ = 0;
            slice_ends_ += slice_ns_;
        }
        hold(now);
    }
    void hold(std::uint64_t until) {
        area_ += static_cast<double>(busy_) * static_cast<double>(until - changed_);
        changed_ = until;
    }
    std::uint32_t limit_, busy_ = 0;
    double begin_cpu_s_;
    std::uint64_t slice_ns_, slice_ends_, end_ns_, changed_ = 0;
    double area_ = 0;
    Slice open_;
    std::vector<Slice> slices_;
};

enum class Step : std::uint8_t { knock, pass, read, act, leave, end };
constexpr std::array<Step, 15> steps{Step::knock, Step::pass, Step::pass, Step::pass, Step::pass,
                                     Step::read,  Step::act,  Step::pass, Step::read, Step::act,
                                     Step::pass,  Step::read, Step::act,  Step::leave, Step::end};
constexpr std::uint8_t refused = steps.size() - 1;

// Time, then the number of the entry and what happens in one word.
using Entry = std::pair<std::uint64_t, std::uint64_t>;

class Pending {
public:
    bool empty() const { return heap_.empty(); }
    void at(std::uint64_t when, std::uint32_t what) { heap_.emplace(when, (std::uint64_t{++number_} << 32) | what); }
    Entry pop() {
        const Entry entry = heap_.top();
        heap_.pop();
        return entry;
    }

private:
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
    std::uint32_t number_ = 0;
};

constexpr std::uint32_t comes = UINT32_MAX;

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fprintf(stderr, "error: wanted SEED RATE LIMIT SECONDS SLICES\n");
        return 2;
    }
    const double rate = std::atof(argv[2]);
    const std::uint64_t end_ns = std::strtoull(argv[4], nullptr, 10) * 1'000'000'000;
    Tally tally(static_cast<std::uint32_t>(std::atoi(argv[3])), end_ns, static_cast<std::uint32_t>(std::atoi(argv[5])));
    Dice dice(std::strtoull(argv[1], nullptr, 10), rate);
    Pending pending;
    std::vector<std::uint8_t> next_step;
    std::vector<std::uint32_t> free_slots;

    pending.at(dice.gap_ns(), comes);
    while (!pending.empty()) {
        const auto [now, word] = pending.pop();
        if (now >= end_ns) break;
        ++tally.events;
        auto slot = static_cast<std::uint32_t>(word);
        if (slot == comes) {
            ++tally.clients;
            pending.at(now + dice.gap_ns(), comes);
            if (free_slots.empty()) {
                slot = static_cast<std::uint32_t>(next_step.size());
                next_step.push_back(0);
            } else {
                slot = free_slots.back();
                free_slots.pop_back();
                next_step[slot] = 0;
            }
            pending.at(now + way_ns, slot);
            continue;
        }
        auto& place = next_step[slot];
        switch (steps[place++]) {
            case Step::knock:
                if (!tally.knock(now)) place = refused;
                pending.at(now + way_ns, slot);
                break;
            case Step::pass:
            case Step::act:
                pending.at(now + way_ns, slot);
                break;
            case Step::read:
                pending.at(now + dice.think_ns(), slot);
                break;
            case Step::leave:
                tally.leave(now);
                pending.at(now + way_ns, slot);
                break;
            case Step::end:
                free_slots.push_back(slot);
                break;
        }
    }
    tally.print();
}
