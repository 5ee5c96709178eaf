# What scripts/compare_peers runs: designs in trialwright, rpact and base R, alternately; arguments: the program,
# the checkout, the number of rounds, and what the process is pinned to.
#
# A contender is a list of `program`, `trials` of one round, and `run(trials, seed)`, which gives the probability
# to reject, the CPU seconds that its simulation took and the trials of those seconds. A design is a name, its exact
# power (NA where nobody enumerates it), its contenders, among them "rpact", and a note on what differs in
# definition: a further design is one more entry of `designs`.

arguments <- commandArgs(trailingOnly = TRUE)
program <- arguments[1]
checkout <- arguments[2]
rounds <- as.integer(arguments[3])
pinned_to <- arguments[4]

stop_with <- function(...) {
  cat("trialwright: ", ..., "\n", sep = "", file = stderr())
  quit(status = 1)
}
for (package in c("rpact", "mnormt")) {  # rpact's Dunnett test needs mnormt
  if (!requireNamespace(package, quietly = TRUE)) stop_with("R has no package ", package)
}
options(rpact.startup.message.enabled = FALSE)
work <- tempfile("compare_peers")
dir.create(work)

# CPU seconds of this process and its finished children.
cpu_seconds <- function() {
  times <- proc.time()
  sum(times[c("user.self", "sys.self", "user.child", "sys.child")])
}

# The value of a piece of R that simulates so many trials, and the CPU seconds it took.
timed <- function(trials, expression) {
  gc(full = TRUE)
  before <- cpu_seconds()
  value <- force(expression)
  list(power = value, seconds = cpu_seconds() - before, trials = trials)
}

# ---- trialwright

# One `trialwright run`: the metric table, and the CPU seconds of the whole process.
trialwright <- function(study, trials, seed) {
  file <- file.path(work, "study.yaml")
  output <- file.path(work, "results")
  log <- file.path(work, "log")
  writeLines(study, file)
  unlink(output, recursive = TRUE)
  before <- cpu_seconds()
  status <- system2(program, c("run", shQuote(file), "-o", shQuote(output), "--threads", 1, "--quiet",
                               "--trials", format(trials, scientific = FALSE), "--seed", seed),
                    stdout = log, stderr = log)
  seconds <- cpu_seconds() - before
  if (status != 0) stop_with(paste(c("trialwright failed:", readLines(log)), collapse = "\n"))
  list(table = read.csv(file.path(output, "results.csv")), seconds = seconds)
}

metric <- function(table, name) table$estimate[table$metric == name][1]

start_up <- numeric()   # CPU seconds of every run of a single trial
estimates <- numeric()  # and of the first trials of a design with looks

# Of a design with looks so many trials get adjusted estimates and limits (and a calendar), which rpact does not give.
estimated_trials <- 65536

# The contender that runs `studies`, an equal share of the trials each, by one of trialwright's engines. What a run of
# `first` trials takes is left out: of one trial start-up (reading, compiling the plan and its tables, exact powers,
# writing), of more the estimates too.
by_trialwright <- function(engine, studies, trials, first = 1, of = "power") {
  share <- trials / length(studies)
  one <- function(study, seed) {
    study <- c(study, sprintf("simulation: {trials: 1, seed: 1, engine: %s}", engine))
    left_out <- trialwright(study, first, seed)$seconds
    if (first == 1) start_up <<- c(start_up, left_out) else estimates <<- c(estimates, left_out)
    whole <- trialwright(study, share, seed)
    c(power = metric(whole$table, of), seconds = whole$seconds - left_out)
  }
  list(program = paste("trialwright,", engine), trials = trials, run = function(trials, seed) {
    found <- vapply(studies, one, c(power = 0, seconds = 0), seed = seed)
    list(power = mean(found["power", ]), seconds = sum(found["seconds", ]),
         trials = trials - length(studies) * first)
  })
}

exact_power <- function(study) metric(trialwright(study, 1, 1)$table, "exact_power")

# Arms of patients whose week-12 EASI response has exactly the rates given, by name: with b = 1 the Kumaraswamy law of
# the ratio to baseline has P(R <= 1/2) = 3^-a. `design` are the lines of its one design.
study_of <- function(rates, design) {
  shapes <- sprintf("%s: {a: %.17g, b: 1}", names(rates), -log(rates) / log(3))
  has_second_dose <- "hcmsc_high" %in% names(rates)
  second_dose <- c(
    "arms: {hcmsc_high: {dose_cells_per_kg: 1000000, infusion_weeks: [0, 2, 4]}}",
    "safety: {any_event: {hcmsc_high: 0.2777777778}, infusion_reaction: {hcmsc_high: 0.05}}")
  c("schema: 1",
    sprintf("extends: %s/configs/library/hcmsc.yaml", checkout),
    if (has_second_dose) second_dose,
    "measures:",
    "  easi:",
    "    grid: null",
    "    course:",
    if (has_second_dose) c("      tau_weeks: {hcmsc_high: 4}",
                           "      responder_mixture: {arms: {hcmsc_high: {responder_fraction: 0.4202}}}"),
    sprintf("      kumaraswamy: {arms: {%s}}", paste(shapes, collapse = ", ")),
    "analyses: {peers: {estimand: easi50, method: z_pooled, sides: 1, alpha: 0.025}}",
    "designs:",
    "  peers:",
    "    primary: peers",
    paste0("    ", design),
    "scenarios: {reported: {effect: 1}}")
}

fixed_study <- function(patients, rates) {
  study_of(c(hcmsc = rates[1], placebo = rates[2]),
           c("kind: fixed", sprintf("arms: {placebo: %d, hcmsc: %d}", patients[2], patients[1]),
             sprintf("patients: %d", sum(patients))))
}

lan_demets <- "efficacy: {boundary: lan_demets_obrien_fleming}"

# Two arms in blocks of two, with looks at these numbers of outcomes in all, the last at the end.
sequential_study <- function(outcomes, rates) {
  n_looks <- length(outcomes)
  study_of(c(hcmsc = rates[1], placebo = rates[2]),
           c("kind: group_sequential", "arms: {placebo: 1, hcmsc: 1}",
             "randomisation: {method: permuted_block, block_size: 2}",
             sprintf("patients: %d", outcomes[n_looks]),
             sprintf("looks: [%s]", paste0("{outcomes: ", outcomes[-n_looks], "}", collapse = ", ")),
             lan_demets))
}

promising_zone_study <- function(size, rates) {
  study_of(c(hcmsc = rates[1], placebo = rates[2]),
           c("kind: sample_size_reestimation", "arms: {placebo: 1, hcmsc: 1}",
             "randomisation: {method: permuted_block, block_size: 2}",
             sprintf("patients: %d", size$planned), sprintf("looks: [{outcomes: %d}]", size$look),
             sprintf(paste("reestimation: {rule: promising_zone, from: %g, to: %g, power: %g,",
                           "effect: observed, most_patients: %d}"),
                     size$from, size$power, size$power, size$most),
             "combination: inverse_normal", lan_demets))
}

# Two doses and placebo, `patients` each a stage; the better goes on; of a tie the one that stands `ties`.
selection_study <- function(patients, rates, intersection, ties) {
  study_of(c(hcmsc = rates[1], hcmsc_high = rates[2], placebo = rates[3]),
           c("kind: treatment_selection", "arms: {placebo: 1, hcmsc: 1, hcmsc_high: 1}",
             "randomisation: {method: permuted_block, block_size: 3}",
             sprintf("patients: %d", 3 * patients), sprintf("looks: [{outcomes: %d}]", 3 * patients),
             sprintf("selection: {rule: best, ties: %s}", ties),
             sprintf("stage_2: {patients_per_arm: %d}", patients),
             sprintf("intersection: %s", intersection), "combination: inverse_normal", lan_demets,
             "stop_when: all"))
}

# ---- the peers

rpact_fixed <- function(patients, rates, trials) {
  list(program = "rpact", trials = trials, run = function(trials, seed) timed(trials,
    rpact::getSimulationRates(rpact::getDesignGroupSequential(kMax = 1, alpha = 0.025),
                              pi1 = rates[1], pi2 = rates[2], plannedSubjects = sum(patients),
                              allocationRatioPlanned = patients[1] / patients[2], directionUpper = TRUE,
                              maxNumberOfIterations = trials, seed = seed)$overallReject))
}

# Two draws and a vectorised test, a million trials at a time.
base_fixed <- function(patients, rates, trials) {
  n <- patients
  chunk <- 1e6
  simulate <- function() {
    x <- rbinom(chunk, n[1], rates[1])
    y <- rbinom(chunk, n[2], rates[2])
    pooled <- (x + y) / sum(n)
    z <- (x / n[1] - y / n[2]) / sqrt(pooled * (1 - pooled) * sum(1 / n))
    mean(!is.na(z) & z > qnorm(0.975))
  }
  list(program = "base R, vectorised", trials = trials, run = function(trials, seed) {
    set.seed(seed)
    timed(trials, mean(replicate(trials / chunk, simulate())))
  })
}

rpact_sequential <- function(outcomes, rates, trials) {
  list(program = "rpact", trials = trials, run = function(trials, seed) timed(trials, {
    design <- rpact::getDesignGroupSequential(informationRates = outcomes / max(outcomes), alpha = 0.025,
                                              sided = 1, typeOfDesign = "asOF")
    rpact::getSimulationRates(design, pi1 = rates[1], pi2 = rates[2], plannedSubjects = outcomes,
                              directionUpper = TRUE, maxNumberOfIterations = trials,
                              seed = seed)$overallReject
  }))
}

two_stages <- function() {
  rpact::getDesignInverseNormal(informationRates = c(0.5, 1), alpha = 0.025, sided = 1, typeOfDesign = "asOF")
}

# rpact's own re-estimation has no zone: the second stage's size is a function of the caller's, with the power that is
# conditional on the observed rates, each with its own variance (Mehta & Pocock 2011).
promising_zone <- function(from) {
  force(from)
  function(..., stage, minNumberOfSubjectsPerStage, maxNumberOfSubjectsPerStage, overallRate,
           conditionalCriticalValue, conditionalPower) {
    effect <- overallRate[1] - overallRate[2]
    variance <- overallRate[1] * (1 - overallRate[1]) + overallRate[2] * (1 - overallRate[2])
    planned <- minNumberOfSubjectsPerStage[stage]
    if (effect <= 0 || variance <= 0) return(planned)
    power <- pnorm(effect * sqrt(planned / 2 / variance) - conditionalCriticalValue)
    if (power < from || power >= conditionalPower) return(planned)
    an_arm <- ceiling(variance * (conditionalCriticalValue + qnorm(conditionalPower))^2 / effect^2)
    2 * min(maxNumberOfSubjectsPerStage[stage] / 2, max(planned / 2, an_arm))
  }
}

# With `rule` NULL by rpact's own.
rpact_reestimation <- function(program, size, rates, rule, trials, comparable = TRUE) {
  to_come <- c(size$planned, size$most) - size$look
  list(program = program, trials = trials, comparable = comparable, run = function(trials, seed) timed(trials,
    rpact::getSimulationRates(two_stages(), pi1 = rates[1], pi2 = rates[2],
                              plannedSubjects = c(size$look, size$planned), directionUpper = TRUE,
                              conditionalPower = size$power,
                              minNumberOfSubjectsPerStage = c(size$look, to_come[1]),
                              maxNumberOfSubjectsPerStage = c(size$look, to_come[2]),
                              calcSubjectsFunction = rule, maxNumberOfIterations = trials,
                              seed = seed)$overallReject))
}

rpact_selection <- function(patients, rates, intersection, trials) {
  list(program = "rpact", trials = trials, run = function(trials, seed) timed(trials,
    rpact::getSimulationMultiArmRates(two_stages(), activeArms = 2, effectMatrix = matrix(rates[1:2], nrow = 1),
                                      typeOfShape = "userDefined", piControl = rates[3],
                                      intersectionTest = intersection, directionUpper = TRUE,
                                      typeOfSelection = "best", effectMeasure = "effectEstimate",
                                      successCriterion = "all", plannedSubjects = c(patients, 2 * patients),
                                      allocationRatioPlanned = 1, maxNumberOfIterations = trials,
                                      seed = seed)$rejectAtLeastOne))
}

# ---- the designs

phase_2_rates <- c(0.58, 0.32)  # treatment, control: EASI50 at week 12, NCT04179760

fixed_two_arm <- function(patients) {
  study <- fixed_study(patients, phase_2_rates)
  list(name = sprintf("fixed two-arm binary, %d + %d", patients[1], patients[2]),
       exact = exact_power(study),
       contenders = list(by_trialwright("counts", list(study), 1e8),
                         by_trialwright("patients", list(study), 2e5),
                         rpact_fixed(patients, phase_2_rates, 2e5),
                         base_fixed(patients, phase_2_rates, 5e6)))
}

# 74, 111 and 148 patients an arm: rpact gives the odd one of 225 to the treatment.
three_looks <- function() {
  outcomes <- c(148, 222, 296)
  rates <- c(0.50, 0.32)
  study <- sequential_study(outcomes, rates)
  list(name = "group sequential, three looks at 148, 222 and 296 outcomes, Lan-DeMets O'Brien-Fleming",
       exact = exact_power(study),
       contenders = list(by_trialwright("counts", list(study), 1e8, estimated_trials),
                         by_trialwright("patients", list(study), 2e5, estimated_trials),
                         rpact_sequential(outcomes, rates, 5e4)))
}

reestimated <- function() {
  size <- list(look = 150, planned = 300, most = 450, from = 0.3, power = 0.9)
  rates <- c(0.45, 0.32)
  list(name = "sample size re-estimated in a promising zone, 150 of 300 outcomes, at most 450",
       exact = 0.703903310545,  # by enumeration of the first stage's tables and the second's counts
       contenders = list(
         by_trialwright("counts", list(promising_zone_study(size, rates)), 2e7, estimated_trials),
         rpact_reestimation("rpact", size, rates, promising_zone(size$from), 5e4),
         rpact_reestimation("rpact, its own rule", size, rates, NULL, 5e4, comparable = FALSE)),
       note = paste("rpact's own rule enlarges below the zone too and sizes by the pooled variance, so that its power",
                    "is another's: shown for its speed, not compared."))
}

# rpact breaks ties at random: half of the trials each give them to the first and to the last arm.
selected <- function(intersection) {
  rates <- c(0.45, 0.50, 0.32)
  studies <- lapply(c("first", "last"), function(ties) selection_study(50, rates, tolower(intersection), ties))
  list(name = sprintf("the better of two doses after 50 an arm, 50 more, closed test with %s", intersection),
       exact = NA,
       contenders = list(by_trialwright("counts", studies, 4e6, estimated_trials, "power_any"),
                         rpact_selection(50, rates, intersection, 5e3)),
       note = "Power is that of rejecting at least one hypothesis.")
}

designs <- list(fixed_two_arm(c(33, 34)), fixed_two_arm(c(150, 150)), three_looks(), reestimated(),
                selected("Dunnett"), selected("Simes"))

# ---- the comparison

# Every contender in turn, round by round: [round, contender] trials per CPU second, and each one's pooled answer.
compare <- function(design) {
  contenders <- design$contenders
  labels <- vapply(contenders, `[[`, "", "program")
  speed <- power <- matrix(NA_real_, rounds, length(contenders), dimnames = list(NULL, labels))
  for (round in seq_len(rounds)) {
    for (i in seq_along(contenders)) {
      one <- contenders[[i]]
      result <- one$run(one$trials, 20261123 + round)
      power[round, i] <- result$power
      speed[round, i] <- result$trials / result$seconds
    }
  }
  trials <- rounds * vapply(contenders, `[[`, 0, "trials")
  list(speed = speed, power = colMeans(power), trials = trials)
}

# z of each contender's power against rpact's, and against the exact one where there is one; NA where nothing is to be
# compared.
z_of <- function(design, found) {
  p <- found$power
  variance <- p * (1 - p) / found$trials
  is_rpact <- names(p) == "rpact"
  z <- cbind(rpact = (p - p["rpact"]) / sqrt(ifelse(is_rpact, 1, variance + variance["rpact"])),
             exact = (p - design$exact) / sqrt(variance))
  z[!vapply(design$contenders, function(one) is.null(one$comparable) || one$comparable, TRUE), ] <- NA
  z
}

most_standard_errors <- 3.5

shown <- function(x) ifelse(is.na(x), "", formatC(signif(x, 3), format = "fg", big.mark = ","))

print_design <- function(design, found) {
  speed <- apply(found$speed, 2, median)
  ratio_to <- function(peer) {
    if (peer %in% names(speed)) apply(found$speed / found$speed[, peer], 2, median) else NA * speed
  }
  z <- z_of(design, found)
  exact <- if (is.na(design$exact)) "" else sprintf(", exact power %.5f", design$exact)
  cat("\n", design$name, exact, "\n", sep = "")
  line <- "%-22s %15s %25s %12s %12s %9s %9s %9s\n"
  cat(sprintf(line, "program", "trials/s", "(lowest to highest)", "x rpact", "x base R", "power", "z, rpact",
              "z, exact"))
  for (i in names(speed)) {
    cat(sprintf(line, i, shown(speed[i]), paste(shown(range(found$speed[, i])), collapse = " to "),
                shown(ratio_to("rpact")[i]), shown(ratio_to("base R, vectorised")[i]),
                sprintf("%.5f", found$power[i]), shown_z(z[i, "rpact"]), shown_z(z[i, "exact"])))
  }
  if (!is.null(design$note)) cat(design$note, "\n", sep = "")
  if (any(abs(z) > most_standard_errors, na.rm = TRUE))
    stop_with("the answers differ by more than ", most_standard_errors, " standard errors: ", design$name)
}

shown_z <- function(z) if (is.na(z)) "" else sprintf("%.2f", z)

processor <- sub(".*: ", "", grep("^model name", readLines("/proc/cpuinfo"), value = TRUE)[1])
cat(processor, ", ", pinned_to, "\n", sep = "")
cat(R.version.string, ", rpact ", as.character(packageVersion("rpact")), "\n", sep = "")
cat("Trials per CPU second, the median of ", rounds, " rounds, without the start-up of R and of trialwright;\n",
    "ratios are medians of the rounds' own. z is the difference from rpact's, and from the exact, power in\n",
    "standard errors. Of trialwright the engine is named.\n", sep = "")
for (design in designs) print_design(design, compare(design))
cat(sprintf("\nLeft out: trialwright's start-up, %.0f ms (median), and R's; of designs with looks the first %d trials,\n",
            1000 * median(start_up), estimated_trials),
    sprintf("which get adjusted estimates and limits that rpact does not give: %.2f to %.2f s a run.\n",
            min(estimates), max(estimates)), sep = "")
unlink(work, recursive = TRUE)
