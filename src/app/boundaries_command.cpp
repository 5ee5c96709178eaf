#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.hpp"
#include "math/normal.hpp"
#include "trialwright/boundaries.hpp"

namespace trialwright::app {
namespace {

constexpr double k_none = std::numeric_limits<double>::quiet_NaN();

struct FamilyOptions {
  std::string name;
  std::string parameter;
  std::string spending;
  std::string z;
  std::string error_spent;
};

struct Options {
  std::string alpha = "0.025";
  std::string information = "1";
  FamilyOptions efficacy{"lan_demets_obrien_fleming", {}, {}, {}, {}};
  FamilyOptions futility;
  std::string beta;
  std::string drift;
  bool binding = false;
  bool json = false;
};

// "0.5:0.2,1:1": information and share of the error spent by then.
std::vector<BoundaryFamily::Point> points_of(const std::string& option, const std::string& text) {
  std::vector<BoundaryFamily::Point> points;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::string point = text.substr(start, comma - start);
    const std::size_t colon = point.find(':');
    if (colon == std::string::npos)
      throw bad_input(
          fmt::format("error: {} is \"{}\" (points information:share are needed, such as 0.5:0.2,1:1)",
                      option, text));
    points.push_back({parse_number(option, point.substr(0, colon), 0, 1),
                      parse_number(option, point.substr(colon + 1), 0, 1)});
    start = comma + 1;
  }
  return points;
}

BoundaryFamily family_of(const FamilyOptions& options, const std::string& side, const char* spent) {
  BoundaryFamily family;
  family.name = options.name;
  if (!options.parameter.empty())
    family.parameter = parse_number("--" + side + "-parameter", options.parameter, -100, 100);
  if (!options.spending.empty())
    family.spending = points_of("--" + side + "-spending", options.spending);
  if (!options.z.empty()) family.z = parse_numbers("--" + side + "-z", options.z, -10, 10);
  if (!options.error_spent.empty())
    family.error_spent = parse_numbers(spent, options.error_spent, 0, 1);
  return family;
}

// An option that would be read and ignored is a fault.
void need_futility(const char* option, const std::string& text) {
  if (!text.empty())
    throw bad_input(fmt::format("error: {} without --futility (it has nothing to say then)", option));
}

BoundaryQuestion question_of(const Options& options) {
  BoundaryQuestion question;
  question.alpha = parse_number("--alpha", options.alpha, 1e-9, 0.5);
  question.information = parse_numbers("--information", options.information, 0, 2);
  question.efficacy = family_of(options.efficacy, "efficacy", "--alpha-spent");
  if (options.futility.name.empty()) {
    need_futility("--futility-parameter", options.futility.parameter);
    need_futility("--futility-spending", options.futility.spending);
    need_futility("--beta-spent", options.futility.error_spent);
    need_futility("--binding", options.binding ? "given" : "");
  } else {
    question.futility = family_of(options.futility, "futility", "--beta-spent");
  }
  question.binding = options.binding ? FutilityBinding::binding : FutilityBinding::non_binding;
  if (!options.beta.empty()) question.beta = parse_number("--beta", options.beta, 1e-6, 0.5);
  if (!options.drift.empty()) question.drift = parse_number("--drift", options.drift, -100, 100);
  return question;
}

// null where there is none: JSON knows no infinity.
nlohmann::ordered_json finite(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

std::string json_of(const BoundaryAnswer& answer) {
  nlohmann::ordered_json looks = nlohmann::ordered_json::array();
  for (const auto& look : answer.looks)
    looks.push_back({{"information", look.information},
                     {"alpha_spent", look.alpha_spent},
                     {"efficacy_z", finite(look.efficacy_z)},
                     {"futility_z", finite(look.futility_z)},
                     {"p_efficacy_null", look.p_efficacy_null},
                     {"p_efficacy", finite(look.p_efficacy)},
                     {"p_futility", finite(look.p_futility)}});
  const nlohmann::ordered_json whole{{"looks", looks},
                                     {"drift", finite(answer.drift.value_or(k_none))},
                                     {"power", finite(answer.power.value_or(k_none))}};
  return whole.dump() + "\n";
}

std::string cell(double value) {
  if (std::isfinite(value)) return fmt::format("{:>12.6f}", value);
  return fmt::format("{:>12}", "-");
}

std::string looks_text(const BoundaryAnswer& answer, bool with_futility) {
  std::string text = fmt::format("{:>4}{:>12}{:>12}{:>12}{:>12}", "look", "information", "alpha spent",
                                 "efficacy z", "nominal p");
  if (with_futility) text += fmt::format("{:>12}", "futility z");
  text += fmt::format("{:>12}", "P eff | 0");
  if (answer.drift) text += fmt::format("{:>12}", "P eff | d");
  if (with_futility) text += fmt::format("{:>12}{:>12}", "P fut | 0", "P fut | d");
  text += "\n";
  int number = 0;
  for (const auto& look : answer.looks) {
    text += fmt::format("{:>4}", ++number) + cell(look.information) + cell(look.alpha_spent) +
            cell(look.efficacy_z) + cell(math::normal_survival(look.efficacy_z));
    if (with_futility) text += cell(look.futility_z);
    text += cell(look.p_efficacy_null);
    if (answer.drift) text += cell(look.p_efficacy);
    if (with_futility) text += cell(look.p_futility_null) + cell(look.p_futility);
    text += "\n";
  }
  return text;
}

std::string text_of(const Options& options, const BoundaryAnswer& answer) {
  const bool with_futility = !options.futility.name.empty();
  std::string text = fmt::format("efficacy by {}", options.efficacy.name);
  if (with_futility)
    text += fmt::format(", futility by {} ({})", options.futility.name,
                        options.binding ? "binding" : "not binding");
  text += fmt::format(", one-sided alpha {}\n\n", options.alpha) + looks_text(answer, with_futility);
  text +=
      "\nP eff, P fut: probability to stop first at that look for efficacy or futility, under no effect "
      "(0) or the drift (d).\n";
  if (with_futility && !options.binding)
    text += "alpha spent ignores futility, which does not bind; the probabilities heed it.\n";
  if (answer.drift)
    text += fmt::format("\ndrift (expected z at information 1):  {:.6f}\npower:  {:.6f}\n",
                        *answer.drift, *answer.power);
  if (answer.inflation_factor)
    text += fmt::format("inflation factor over a fixed design of this power:  {:.6f}\n",
                        *answer.inflation_factor);
  text += "\n       drift  P efficacy    expected information";
  if (answer.inflation_factor) text += "    the same / fixed design's";
  text += "\n";
  for (const auto& at : answer.performance) {
    text += fmt::format("{}{}{:>24.6f}", cell(at.drift), cell(at.power), at.expected_information);
    if (answer.inflation_factor)
      text += fmt::format("{:>29.6f}", *answer.inflation_factor * at.expected_information);
    text += "\n";
  }
  return text;
}

ExitStatus run(const Options& options) {
  const BoundaryQuestion question = question_of(options);
  BoundaryAnswer answer;
  try {
    answer = sequential_boundaries(question);
  } catch (const Error& error) {
    throw bad_input(fmt::format("error: {}", error.what()));
  }
  print(options.json ? json_of(answer) : text_of(options, answer));
  return ExitStatus::done;
}

void add_efficacy_options(CLI::App& command, FamilyOptions& efficacy) {
  command
      .add_option("--efficacy", efficacy.name,
                  "obrien_fleming, pocock, wang_tsiatis, haybittle_peto, lan_demets_obrien_fleming, "
                  "lan_demets_pocock, hwang_shih_decani, kim_demets, piecewise or user")
      ->capture_default_str()
      ->type_name("FAMILY");
  command
      .add_option("--efficacy-parameter", efficacy.parameter,
                  "of wang_tsiatis, hwang_shih_decani, kim_demets, haybittle_peto (3)")
      ->type_name("X");
  command
      .add_option("--efficacy-spending", efficacy.spending,
                  "of piecewise: information:share of alpha spent by then, such as 0.5:0.2,1:1")
      ->type_name("T:S,T:S");
  command.add_option("--efficacy-z", efficacy.z, "of user: the critical value of each look")
      ->type_name("Z,Z");
  command
      .add_option("--alpha-spent", efficacy.error_spent,
                  "of user, in place of z: cumulative alpha spent by each look")
      ->type_name("A,A");
}

void add_futility_options(CLI::App& command, Options& options) {
  command
      .add_option("--futility", options.futility.name,
                  "beta spending by lan_demets_obrien_fleming, lan_demets_pocock, hwang_shih_decani, "
                  "kim_demets, piecewise or user; solves for the drift of power 1 - beta")
      ->type_name("FAMILY");
  command
      .add_option("--futility-parameter", options.futility.parameter,
                  "of hwang_shih_decani, kim_demets")
      ->type_name("X");
  command
      .add_option("--futility-spending", options.futility.spending,
                  "of piecewise: information:share of beta spent by then")
      ->type_name("T:S,T:S");
  command
      .add_option("--beta-spent", options.futility.error_spent,
                  "of user: cumulative beta spent by each look")
      ->type_name("B,B");
  command.add_flag("--binding", options.binding,
                   "futility binds: the alpha that it saves is spent on efficacy");
  command
      .add_option(
          "--beta", options.beta,
          "type II error (0.1 with --futility); without futility, solves for the drift of power "
          "1 - beta")
      ->type_name("B");
}

}  // namespace

void add_boundaries_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(
      "boundaries", "sequential boundaries and their operating characteristics, by integration");
  describe(
      *command,
      "Critical values (upper z, one-sided) of a group sequential design, with the probabilities to stop\n"
      "at each look. Drift is the expected z at information 1, the planned end.\n"
      "Example: trialwright boundaries --alpha 0.025 --information 0.5,0.75,1\n"
      "  --efficacy hwang_shih_decani --efficacy-parameter -4\n"
      "  --futility hwang_shih_decani --futility-parameter -2 --beta 0.1");
  command->add_option("--alpha", options->alpha, "one-sided level")
      ->capture_default_str()
      ->type_name("A");
  command
      ->add_option(
          "--information", options->information,
          "fraction of the final information at each look, ascending to 1; a last one above 1 is "
          "that of an over-running trial")
      ->capture_default_str()
      ->type_name("T,T");
  add_efficacy_options(*command, options->efficacy);
  add_futility_options(*command, *options);
  command
      ->add_option("--drift", options->drift,
                   "expected z at information 1 under which power is reported (without --futility)")
      ->type_name("D");
  command->add_flag("--json", options->json, "print {\"looks\": […], \"drift\": …, \"power\": …}");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
