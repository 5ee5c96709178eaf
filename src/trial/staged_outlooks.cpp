// Trials with one look or two before the last, which is decided of many at a time.
#include <algorithm>
#include <array>

#include "rng/batch.hpp"
#include "trial/staged_counts_impl.hpp"

namespace trialwright::trial {
namespace {

constexpr std::size_t k_rows = CountSampler::k_chunk;

// The words of one trial's incomplete blocks: the first of them from columns.
class BlockWords {
 public:
  BlockWords(const base::Columns<std::uint32_t>& columns, std::size_t i, const rng::Address& address)
      : columns_(columns), i_(i), stream_(address) {}
  std::uint32_t operator()() {
    const std::uint32_t word = next_++;
    return word < 4 ? columns_[word][i_] : stream_.word(word);
  }

 private:
  const base::Columns<std::uint32_t>& columns_;
  std::size_t i_;
  std::uint32_t next_ = 0;
  rng::Stream stream_;
};

}  // namespace

// Trials of a chunk that go on: arrays by their place in it, of those in the list.
struct StagedCountPlan::Impl::Going {
  std::array<std::uint16_t, k_rows> list;
  std::size_t n = 0;
  std::array<std::uint32_t, k_rows> first_places;
  std::array<Outlook, k_rows> outlooks;
};

void StagedCountPlan::Impl::run_chunk_by_outlooks(rng::Key key, std::uint64_t first_trial,
                                                  std::size_t row, std::size_t n, Workspace& workspace,
                                                  EndCounts& ends_of_trials) const {
  const auto& [active, control] = hypotheses.front().front();
  Going going;
  sampler->draw_stage(0, key, first_trial, row, n, workspace.scratch, workspace.counts,
                      workspace.sizes);
  const std::int32_t* x_1 = workspace.counts[active.events].data() + row;
  const std::int32_t* x_0 = workspace.counts[control.events].data() + row;
  const int width = first->events_0.width();
  for (std::size_t i = 0; i < n; ++i) {
    const auto place = static_cast<std::uint32_t>((x_1[i] - first->events_1.lowest) * width + x_0[i] -
                                                  first->events_0.lowest);
    if (outlooks[place].n_next == 0) {
      ends_of_trials.add(first->entries[place].end);
      continue;
    }
    going.first_places[i] = place;
    going.outlooks[i] = outlooks[place];
    workspace.known[i] = first_size.n_known;
    going.list[going.n++] = static_cast<std::uint16_t>(i);
  }
  std::fill(workspace.urns.begin(), workspace.urns.end(), 0);
  for (std::size_t stage = 1; stage < n_stages() && going.n > 0; ++stage) {
    const rng::Address of_blocks{key, rng::Purpose::counts, first_trial,
                                 k_block_unit + static_cast<std::uint32_t>(stage)};
    size_next(of_blocks, row, n, going, workspace);
    sampler->draw_stage(stage, key, first_trial, row, n, workspace.scratch, workspace.counts,
                        workspace.sizes);
    if (stage + 1 < n_stages())
      look_second(row, going, workspace, ends_of_trials);
    else
      end_all(row, going, workspace, ends_of_trials);
  }
}

void StagedCountPlan::Impl::size_next(const rng::Address& first_trial, std::size_t row, std::size_t n,
                                      Going& going, Workspace& workspace) const {
  for (std::size_t a = 0; a < n_arms; ++a)
    std::fill_n(workspace.sizes[a].begin() + static_cast<std::ptrdiff_t>(row), n, 0);
  const int block = blocks.size(start.arms);
  bool has_words = false;
  for (std::size_t k = 0; k < going.n; ++k) {
    const std::size_t i = going.list[k];
    const int n_next = going.outlooks[i].n_next, n_more = n_next - workspace.known[i];
    const std::span<std::int32_t> urn(&workspace.urns[i * n_arms], n_arms);
    workspace.known[i] = n_next;
    if (urn[0] + urn[1] == 0 && n_more % block == 0) {
      for (std::size_t a = 0; a < n_arms; ++a)
        workspace.sizes[a][row + i] = n_more / block * blocks.balls[a];
      continue;
    }
    auto& words = workspace.block_words;
    if (!std::exchange(has_words, true))
      rng::fill_words_of_trials(first_trial, 0, n,
                                {words[0].data(), words[1].data(), words[2].data(), words[3].data()});
    rng::Address address = first_trial;
    address.trial += i;
    BlockWords of_trial(words, i, address);
    std::array<std::int32_t, 2> sizes;
    blocks.take(start.arms, n_more, urn, of_trial, sizes);
    for (std::size_t a = 0; a < n_arms; ++a) workspace.sizes[a][row + i] = sizes[a];
  }
}

void StagedCountPlan::Impl::look_second(std::size_t row, Going& going, Workspace& workspace,
                                        EndCounts& ends_of_trials) const {
  const auto& [active, control] = hypotheses.front().front();
  RecalledLooks& recalled = workspace.recalled;
  const std::int32_t* y_1 = workspace.counts[column(1, active.events)].data() + row;
  const std::int32_t* y_0 = workspace.counts[column(1, control.events)].data() + row;
  const std::int32_t* n_1 = workspace.counts[column(1, active.patients)].data() + row;
  std::array<std::uint64_t, k_rows> keys;
  for (std::size_t k = 0; k < going.n; ++k) {
    const std::size_t i = going.list[k];
    keys[k] = RecalledLooks::key(going.first_places[i], y_1[i], y_0[i], n_1[i]);
    recalled.fetch(RecalledLooks::place(keys[k]));
  }
  std::size_t n_left = 0;
  for (std::size_t k = 0; k < going.n; ++k) {
    const std::size_t i = going.list[k], place = RecalledLooks::place(keys[k]);
    if (!recalled.knows(place, keys[k])) {
      TrialEnd end;
      const Outlook after = decide_second(row + i, i, workspace, end);
      recalled.keep(place,
                    {.key = keys[k],
                     .efficacy_z = after.efficacy_z,
                     .futility_z = after.futility_z,
                     .n_next = after.n_next,
                     .naive = after.naive},
                    end);
    }
    const auto& look = recalled.look(place);
    if (look.n_next == 0) {
      ends_of_trials.add(recalled.end(place));
      continue;
    }
    going.outlooks[i] = {look.efficacy_z, look.futility_z, look.n_next, look.naive};
    going.list[n_left++] = static_cast<std::uint16_t>(i);
  }
  going.n = n_left;
}

Outlook StagedCountPlan::Impl::decide_second(std::size_t row, std::size_t i, Workspace& workspace,
                                             TrialEnd& end) const {
  const auto& [active, control] = hypotheses.front().front();
  design::TrialState& state = workspace.states[i];
  FirstLook::restore(
      first->at(workspace.counts[active.events][row], workspace.counts[control.events][row]), state);
  fill(2, row, workspace);
  const LookSize size = next_look(1, state, first_size.n_known);
  const auto data = look_data(1, size, workspace);
  const auto stop = design->decide(data, state, nullptr).stop;
  const design::Bits naive = design->naive_rejections(data, state);
  if (stop != design::StopReason::none || size.is_final) {
    end = end_of(state, stop, naive, size.n_known);
    return {};
  }
  return {state.efficacy_z[2], state.futility_z[2], next_look(2, state, size.n_known).n_known,
          (naive & 1) != 0};
}

void StagedCountPlan::Impl::end_all(std::size_t row, const Going& going, Workspace& workspace,
                                    EndCounts& ends_of_trials) const {
  const auto& [active, control] = hypotheses.front().front();
  std::array<design::LastLook, k_rows> looks;
  std::array<design::LastDecision, k_rows> decisions;
  const std::size_t last = n_stages() - 1;
  for (std::size_t k = 0; k < going.n; ++k) {
    const std::size_t i = going.list[k];
    design::LastLook& look = looks[k];
    look.all = {};
    for (std::size_t stage = 0; stage <= last; ++stage) {
      const auto count = [&](std::size_t of_stage) {
        return workspace.counts[column(stage, of_stage)][row + i];
      };
      look.stage = {count(active.events), count(active.patients), count(control.events),
                    count(control.patients)};
      look.all.responders_1 += look.stage.responders_1;
      look.all.n_1 += look.stage.n_1;
      look.all.responders_0 += look.stage.responders_0;
      look.all.n_0 += look.stage.n_0;
    }
    look.efficacy_z = going.outlooks[i].efficacy_z;
    look.futility_z = going.outlooks[i].futility_z;
    look.naive_before = going.outlooks[i].naive;
  }
  last_looks->decide_ends(std::span(looks).first(going.n), decisions);
  TrialEnd end;
  end.n_looks = static_cast<std::uint8_t>(last + 1);
  std::fill_n(end.open_at.begin(), last + 1, std::uint8_t{1});
  for (std::size_t k = 0; k < going.n; ++k) {
    end.stop = decisions[k].stop;
    end.rejected = decisions[k].rejects ? 1 : 0;
    end.naive_rejected = decisions[k].naive ? 1 : 0;
    end.n_analysed = workspace.known[going.list[k]];
    ends_of_trials.add(end);
  }
}

}  // namespace trialwright::trial
