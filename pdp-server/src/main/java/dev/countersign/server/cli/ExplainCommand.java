package dev.countersign.server.cli;

import dev.countersign.rules.explain.Explainer;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Request;
import dev.countersign.server.decision.TenantPolicy;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "explain",
        description = "Tell why a request is decided as it is, and why not otherwise.",
        mixinStandardHelpOptions = true)
final class ExplainCommand implements Callable<Integer> {
    @Mixin
    private JudgingOptions judging = new JudgingOptions();

    @Option(names = "--request", required = true, description = "A file with one AuthZEN request.")
    private Path request = Path.of("request.json");

    @Override
    public Integer call() throws IOException {
        TenantPolicy policy = judging.policy();
        if (policy == null) {
            return Exit.USAGE;
        }
        try {
            Request made = judging.request(Files.readAllBytes(request), policy, Instant.now());
            PrintWriter out = judging.out();
            out.print(new Explainer(policy.base()).explain(made).toText());
            out.flush();
            return Exit.OK;
        } catch (BadCall e) {
            judging.err().println(request + ": " + e.getMessage());
            return Exit.USAGE;
        }
    }
}
