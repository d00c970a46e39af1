package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/** The test of rule packs: each is checked, built alone, and run through its own scenarios. */
public final class PackTest {
    private PackTest() {}

    /**
     * What testing the packs at these places comes to. A pack with mistakes is not tested; the others are.
     *
     * @param places packs, or folders of packs
     * @throws java.io.UncheckedIOException if a file cannot be read
     */
    public static PackTestResult run(List<Path> places) {
        var folders = new LinkedHashSet<Path>();
        for (Path place : places) {
            List<Path> found = PackReader.folders(place);
            folders.addAll(found.isEmpty() ? List.of(place) : found);
        }
        var reports = new ArrayList<TestReport>();
        var said = new ArrayList<Diagnostic>();
        for (Path folder : folders) {
            var diagnostics = new Diagnostics();
            for (Pack pack : new PackReader(diagnostics).read(List.of(folder))) {
                List<Suite> suites = new ScenarioReader(pack, diagnostics).read(folder);
                if (!diagnostics.hasErrors()) {
                    reports.add(run(pack, suites));
                }
            }
            said.addAll(diagnostics.all());
        }
        return new PackTestResult(List.copyOf(reports), List.copyOf(said));
    }

    /** What these suites make of a pack that passed the gate. */
    public static TestReport run(Pack pack, List<Suite> suites) {
        return run(pack, suites, true);
    }

    /** The same without small mistakes in conditions, which takes far less time: none is tried, and none missed. */
    public static TestReport withoutMutants(Pack pack, List<Suite> suites) {
        return run(pack, suites, false);
    }

    private static TestReport run(Pack pack, List<Suite> suites, boolean mutants) {
        RuleBase base = RuleBase.of(List.of(pack));
        List<CaseResult> results = ScenarioRunner.run(base, suites);
        List<InvariantResult> invariants = suites.stream()
                .flatMap(suite -> suite.invariants().stream())
                .map(invariant -> InvariantResult.of(base, pack, invariant))
                .toList();
        return new TestReport(
                pack,
                results,
                invariants,
                Coverage.of(base, pack, results),
                mutants ? Mutants.of(base, results) : new Mutants(0, 0, 0, List.of()));
    }
}
