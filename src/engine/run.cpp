#include "trialwright/run.hpp"

#include "engine/run_study.hpp"

namespace trialwright {
namespace {

class CallbackMonitor final : public engine::Monitor {
 public:
  explicit CallbackMonitor(const RunOptions& options) : options_(options) {}
  void progress(std::uint64_t done, std::uint64_t total) override {
    if (options_.progress && !options_.progress(done, total)) stopped_ = true;
  }
  bool stop_requested() override { return stopped_; }

 private:
  const RunOptions& options_;
  bool stopped_ = false;
};

}  // namespace

Results run(const std::filesystem::path& study_file, const RunOptions& options) {
  auto study = scenario::Study::load(study_file, options.assignments);
  CallbackMonitor monitor(options);
  return engine::run_study(study, options.threads > 0 ? options.threads : engine::available_threads(),
                           &monitor);
}

}  // namespace trialwright
