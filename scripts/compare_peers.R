# What scripts/compare_peers runs: designs in trialwright, rpact and base R, alternately; arguments: the program,
# the checkout, the number of rounds, and what the process is pinned to.
#
# A contender is a list of `program`, `trials` of one round, and `run(trials, seed)`, which gives the probability
# to reject and the CPU seconds that its simulation took. A design is a name, its exact power, and its contenders,
# among them "rpact" and "base R, vectorised": a further design is one more entry of `designs`.

arguments <- commandArgs(trailingOnly = TRUE)
program <- arguments[1]
checkout <- arguments[2]
rounds <- as.integer(arguments[3])
pinned_to <- arguments[4]

stop_with <- function(...) {
  cat("trialwright: ", ..., "\n", sep = "", file = stderr())
  quit(status = 1)
}
if (!requireNamespace("rpact", quietly = TRUE)) stop_with("R has no package rpact")
options(rpact.startup.message.enabled = FALSE)
work <- tempfile("compare_peers")
dir.create(work)

# CPU seconds of this process and its finished children.
cpu_seconds <- function() {
  times <- proc.time()
  sum(times[c("user.self", "sys.self", "user.child", "sys.child")])
}

# The value of a piece of R, and the CPU seconds it took.
timed <- function(expression) {
  gc(full = TRUE)
  before <- cpu_seconds()
  value <- force(expression)
  list(power = value, seconds = cpu_seconds() - before)
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

start_up <- numeric()  # CPU seconds of every run of a single trial

# The contender that runs `study` by one of trialwright's engines. What a run of one trial takes is start-up:
# reading, compiling the plan and its tables, exact powers, writing.
by_trialwright <- function(engine, study, trials) {
  study <- c(study, sprintf("simulation: {trials: 1, seed: 1, engine: %s}", engine))
  list(program = paste("trialwright,", engine), trials = trials, run = function(trials, seed) {
    first <- trialwright(study, 1, seed)$seconds
    start_up <<- c(start_up, first)
    whole <- trialwright(study, trials, seed)
    list(power = metric(whole$table, "power"), seconds = whole$seconds - first)
  })
}

exact_power <- function(study) metric(trialwright(study, 1, 1)$table, "exact_power")

# Two arms of patients whose week-12 EASI response has exactly the rates given: with b = 1 the Kumaraswamy law of
# the ratio to baseline has P(R <= 1/2) = 3^-a.
two_arm_study <- function(patients, rates) {
  shape <- sprintf("%.17g", -log(rates) / log(3))
  c("schema: 1",
    sprintf("extends: %s/configs/library/hcmsc.yaml", checkout),
    "measures:",
    "  easi:",
    "    grid: null",
    sprintf("    course: {kumaraswamy: {arms: {hcmsc: {a: %s, b: 1}, placebo: {a: %s, b: 1}}}}",
            shape[1], shape[2]),
    "analyses: {peers: {estimand: easi50, method: z_pooled, sides: 1, alpha: 0.025}}",
    "designs:",
    sprintf("  fixed: {kind: fixed, arms: {placebo: %d, hcmsc: %d}, patients: %d, primary: peers}",
            patients[2], patients[1], sum(patients)),
    "scenarios: {reported: {effect: 1}}")
}

# ---- the peers

rpact_fixed <- function(patients, rates, trials) {
  list(program = "rpact", trials = trials, run = function(trials, seed) timed(
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
    timed(mean(replicate(trials / chunk, simulate())))
  })
}

# ---- the designs

phase_2_rates <- c(0.58, 0.32)  # treatment, control: EASI50 at week 12, NCT04179760

fixed_two_arm <- function(patients) {
  study <- two_arm_study(patients, phase_2_rates)
  list(name = sprintf("fixed two-arm binary, %d + %d", patients[1], patients[2]),
       exact = exact_power(study),
       contenders = list(by_trialwright("counts", study, 1e8),
                         by_trialwright("patients", study, 2e5),
                         rpact_fixed(patients, phase_2_rates, 2e5),
                         base_fixed(patients, phase_2_rates, 5e6)))
}

designs <- list(fixed_two_arm(c(33, 34)), fixed_two_arm(c(150, 150)))

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
      speed[round, i] <- one$trials / result$seconds
    }
  }
  trials <- rounds * vapply(contenders, `[[`, 0, "trials")
  list(speed = speed, power = colMeans(power), trials = trials)
}

# z of each contender's power against rpact's, which is 0 by its nature for rpact itself.
z_against_rpact <- function(found) {
  p <- found$power
  variance <- p * (1 - p) / found$trials
  (p - p["rpact"]) / sqrt(ifelse(names(p) == "rpact", 1, variance + variance["rpact"]))
}

shown <- function(x) formatC(signif(x, 3), format = "fg", big.mark = ",")

print_design <- function(design, found) {
  speed <- apply(found$speed, 2, median)
  ratio_to <- function(peer) apply(found$speed / found$speed[, peer], 2, median)
  z <- z_against_rpact(found)
  cat("\n", design$name, sprintf(", exact power %.5f\n", design$exact), sep = "")
  cat(sprintf("%-22s %15s %25s %12s %12s %9s %7s\n", "program", "trials/s", "(lowest to highest)",
              "x rpact", "x base R", "power", "z"))
  for (i in names(speed)) {
    cat(sprintf("%-22s %15s %25s %12s %12s %9.5f %7.2f\n", i, shown(speed[i]),
                paste(shown(range(found$speed[, i])), collapse = " to "), shown(ratio_to("rpact")[i]),
                shown(ratio_to("base R, vectorised")[i]), found$power[i], z[i]))
  }
  if (any(abs(z) > 4.5)) stop_with("the answers differ by more than 4.5 standard errors: ", design$name)
}

processor <- sub(".*: ", "", grep("^model name", readLines("/proc/cpuinfo"), value = TRUE)[1])
cat(processor, ", ", pinned_to, "\n", sep = "")
cat(R.version.string, ", rpact ", as.character(packageVersion("rpact")), "\n", sep = "")
cat("Trials per CPU second, the median of ", rounds, " rounds, without the start-up of R and of trialwright;\n",
    "ratios are medians of the rounds' own. z is the difference from rpact's power in standard errors.\n", sep = "")
for (design in designs) print_design(design, compare(design))
cat(sprintf("\nLeft out: trialwright's start-up, %.0f ms (median), and R's.\n", 1000 * median(start_up)))
unlink(work, recursive = TRUE)
