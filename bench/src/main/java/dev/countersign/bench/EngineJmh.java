package dev.countersign.bench;

import dev.countersign.rules.verdict.Verdict;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One decision in process under JMH: {@code java -cp ... org.openjdk.jmh.Main EngineJmh}. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 2)
@Fork(1)
@SuppressWarnings("NullAway.Init") // JMH calls the set-up before anything else
public class EngineJmh {
    /** Rules beside the 31 shared ones. */
    @Param({"0", "100", "10000"})
    public int tenantRules;

    private Engine engine;

    /** Reads and builds the rules. */
    @Setup
    public void setUp() {
        engine = Engine.of(tenantRules);
    }

    /** From a parsed call to a verdict. */
    @Benchmark
    public Verdict decide() {
        return engine.decide();
    }
}
