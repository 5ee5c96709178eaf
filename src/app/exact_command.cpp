#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.hpp"
#include "trialwright/exact.hpp"

namespace trialwright::app {
namespace {

struct Options {
  std::string test;
  std::string n;
  std::string p;
  std::string alpha = "0.025";
  bool two_sided = false;
  bool json = false;
};

ExactQuestion question_of(const Options& options) {
  const auto n = parse_numbers("--n", options.n, 1, 5000);
  const auto p = parse_numbers("--p", options.p, 0, 1);
  if (n.size() != 2 || n[0] != static_cast<int>(n[0]) || n[1] != static_cast<int>(n[1]))
    throw bad_input(fmt::format(
        "error: --n is \"{}\" (two whole numbers are needed: treatment,control)", options.n));
  if (p.size() != 2)
    throw bad_input(
        fmt::format("error: --p is \"{}\" (two rates are needed: treatment,control)", options.p));
  ExactQuestion question;
  question.test = options.test;
  question.n_treatment = static_cast<int>(n[0]);
  question.n_control = static_cast<int>(n[1]);
  question.p_treatment = p[0];
  question.p_control = p[1];
  question.alpha = parse_number("--alpha", options.alpha, 1e-9, 0.5);
  question.sides = options.two_sided ? ExactSides::two : ExactSides::one;
  return question;
}

ExitStatus run(const Options& options) {
  const ExactQuestion question = question_of(options);
  if (options.json) {
    print(nlohmann::ordered_json{{"power", exact_power(question)}}.dump() + "\n");
    return ExitStatus::done;
  }
  const ExactAnswer answer = exact_operating_characteristics(question);
  print(
      fmt::format("{}, {} at {}, {} treatment + {} control\n"
                  "power at {} vs {}:  {:.6f}\n"
                  "size (largest type I error over a common rate):  {:.6f} at rate {:.4f}\n"
                  "tables that reject:  {} of {}\n",
                  question.test, options.two_sided ? "two-sided" : "one-sided", question.alpha,
                  question.n_treatment, question.n_control, question.p_treatment, question.p_control,
                  answer.power, answer.size, answer.size_at, answer.n_rejecting,
                  (question.n_treatment + 1LL) * (question.n_control + 1LL)));
  return ExitStatus::done;
}

}  // namespace

void add_exact_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("exact", "exact power and type I error of a two-arm binary test");
  describe(*command,
           "Exact power of a test of two response rates, by enumeration of every table.\n"
           "The first group is treatment; one-sided means treatment better.\n"
           "Example: trialwright exact --test fisher --n 33,34 --p 0.58,0.32 --alpha 0.05 --two-sided");
  command
      ->add_option(
          "--test", options->test,
          "z_pooled (= chi_square), z_unpooled, chi_square_yates, fisher, fisher_midp, boschloo, "
          "z_pooled_exact")
      ->required();
  command->add_option("--n", options->n, "patients: treatment,control")->required()->type_name("N,N");
  command->add_option("--p", options->p, "true rates: treatment,control")->required()->type_name("P,P");
  command->add_option("--alpha", options->alpha, "level of the test")
      ->capture_default_str()
      ->type_name("A");
  command->add_flag("--two-sided", options->two_sided, "reject in either direction, at alpha in all");
  command->add_flag("--json", options->json, "print {\"power\": …}");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
