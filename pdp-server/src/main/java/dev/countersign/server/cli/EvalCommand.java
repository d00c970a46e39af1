package dev.countersign.server.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.countersign.rules.engine.Evaluator;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Request;
import dev.countersign.server.decision.AuthzenAnswer;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.Moment;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.decision.UuidV7;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "eval",
        description = "Print the AuthZEN answer to each request as one line of JSON, in order; nothing is logged.",
        mixinStandardHelpOptions = true)
final class EvalCommand implements Callable<Integer> {
    @Mixin
    private JudgingOptions judging = new JudgingOptions();

    @ArgGroup(multiplicity = "1")
    private Requests requests = new Requests();

    private static final class Requests {
        @Option(names = "--request", description = "A file with one request.")
        private @Nullable Path request;

        @Option(names = "--jsonl", description = "A file with one request a line.")
        private @Nullable Path jsonl;
    }

    @Override
    public Integer call() throws IOException {
        TenantPolicy policy = judging.policy();
        if (policy == null) {
            return Exit.USAGE;
        }
        PrintWriter out = judging.out();
        boolean complete = true;
        try (Evaluator evaluator = policy.base().evaluator()) {
            if (requests.request != null) {
                complete = answer(policy, evaluator, Files.readAllBytes(requests.request), out);
            } else {
                try (BufferedReader lines = Files.newBufferedReader(Objects.requireNonNull(requests.jsonl))) {
                    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                        complete &= answer(policy, evaluator, line.getBytes(StandardCharsets.UTF_8), out);
                    }
                }
            }
        }
        out.flush();
        return complete ? Exit.OK : Exit.USAGE;
    }

    private boolean answer(TenantPolicy policy, Evaluator evaluator, byte[] request, PrintWriter out) {
        try {
            Moment now = Moment.of(System.currentTimeMillis());
            Request made = judging.request(request, policy, now.instant());
            var decided = new Decided(
                            UuidV7.of(now.instant().toEpochMilli(), new SecureRandom())
                                    .toString(),
                            now,
                            Dialect.AUTHZEN,
                            made.call(),
                            null,
                            policy.verdict(evaluator.evaluate(made)),
                            null)
                    .asking(policy);
            out.println(new String(AuthzenAnswer.single(decided), StandardCharsets.UTF_8));
            return true;
        } catch (BadCall e) {
            var error = JsonNodeFactory.instance.objectNode();
            error.putObject("error").put("status", 400).put("message", e.getMessage());
            out.println(error);
            return false;
        }
    }
}
