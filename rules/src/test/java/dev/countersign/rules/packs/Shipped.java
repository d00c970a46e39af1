package dev.countersign.rules.packs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.Evaluator;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The packs that the project ships, and the examples. */
final class Shipped {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private Shipped() {}

    /** A place in the project. */
    static Path path(String place) {
        return ROOT.resolve(place);
    }

    /** The folders of all packs. */
    static List<Path> folders() {
        return Stream.of("rules/packs", "examples")
                .map(Shipped::path)
                .flatMap(Shipped::children)
                .filter(folder -> Files.isRegularFile(folder.resolve(PackReader.MANIFEST)))
                .sorted()
                .toList();
    }

    private static Stream<Path> children(Path folder) {
        try (var entries = Files.list(folder)) {
            return entries.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The pack in a folder, which must be without a mistake or warning. */
    static Pack pack(Path folder) {
        var diagnostics = new Diagnostics();
        List<Pack> packs = new PackReader(diagnostics).read(List.of(folder));
        assertThat(diagnostics.all()).isEmpty();
        assertThat(packs).hasSize(1);
        return packs.get(0);
    }

    /** The verdict on a request, on which the engine and the interpreter must agree. */
    static Verdict verdict(RuleBase base, Evaluator evaluator, Request request) {
        Verdict verdict = DenyOverrides.combine(evaluator.evaluate(request));
        assertThat(DenyOverrides.combine(base.interpret(request)))
                .as("the interpreter on %s", request.call())
                .isEqualTo(verdict);
        return verdict;
    }
}
