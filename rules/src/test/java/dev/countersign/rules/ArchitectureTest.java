package dev.countersign.rules;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.countersign.rules");

    @Test
    void somethingIsLookedAt() {
        assertThat(CLASSES.size()).isGreaterThan(50);
    }

    @Test
    void packagesDependOnEachOtherInOneDirection() {
        slices().matching("dev.countersign.rules.(*)..")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    @Test
    void droolsHasTwoDoorsTheParserAndTheEngine() {
        noClasses()
                .that()
                .resideOutsideOfPackages("..rules.dialect..", "..rules.engine..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.drools..", "org.kie..")
                .check(CLASSES);
    }

    @Test
    void theDialectKnowsOnlyTheParserOfDrools() {
        noClasses()
                .that()
                .resideInAPackage("..rules.dialect..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.drools.model..", "org.drools.modelcompiler..", "org.kie.api.runtime..")
                .check(CLASSES);
    }

    @Test
    void nothingThatCompilesIsOnTheWay() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.mvel2..", "org.eclipse.jdt..", "javax.tools..", "com.github.javaparser..")
                .check(CLASSES);
    }

    @Test
    void factsAreWhatRulesReadAndKnowNothingOfRules() {
        classes()
                .that()
                .resideInAPackage("..rules.facts..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "dev.countersign.rules.facts..", "java..", "com.fasterxml.jackson..", "org.jspecify..")
                .check(CLASSES);
    }

    @Test
    void timeAndChanceArePassedIn() {
        noClasses()
                .should()
                .callMethod(java.time.Instant.class, "now")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(java.util.UUID.class, "randomUUID")
                .orShould()
                .callMethod(Math.class, "random")
                .check(CLASSES);
    }

    @Test
    void classesAreFinalUnlessSomethingExtendsThem() {
        for (JavaClass type : CLASSES) {
            boolean open = !type.isInterface()
                    && !type.isEnum()
                    && !type.isAnonymousClass()
                    && !type.getModifiers().contains(JavaModifier.ABSTRACT)
                    && !type.getModifiers().contains(JavaModifier.FINAL)
                    && !type.getSimpleName().equals("package-info");
            assertThat(open && type.getSubclasses().isEmpty())
                    .as(type.getName() + " is open")
                    .isFalse();
        }
    }
}
