using System.Text;
using System.Text.Json.Serialization;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>What <c>atrium doctor</c> found, for people and for programs.</summary>
public sealed record DoctorReport(bool Healthy, IReadOnlyList<Finding> Findings)
{
    public static DoctorReport Of(IReadOnlyList<Finding> findings) => new(findings.All(static finding => finding.Verdict != Verdict.Bad), findings);

    /// <param name="plain">Words instead of signs, for where they may not show.</param>
    public static string Text(IReadOnlyList<Finding> findings, bool plain)
    {
        StringBuilder text = new();
        int width = findings.Max(static finding => finding.Matter.Length);
        foreach (Finding finding in findings)
        {
            text.Append($"{SignOf(finding.Verdict, plain)} {finding.Matter.PadRight(width)}  {finding.Text}\n");
            if (finding.Advice is { } advice)
                text.Append($"{new string(' ', SignOf(finding.Verdict, plain).Length + width + 3)}{(plain ? "->" : "→")} {advice}\n");
        }

        int Count(Verdict verdict) => findings.Count(finding => finding.Verdict == verdict);
        return text.Append($"{Count(Verdict.Good)} good, {Count(Verdict.Warning)} to look at, {Count(Verdict.Bad)} broken\n").ToString();
    }

    private static string SignOf(Verdict verdict, bool plain) => (verdict, plain) switch
    {
        (Verdict.Good, true) => "ok  ",
        (Verdict.Warning, true) => "look",
        (_, true) => "BAD ",
        (Verdict.Good, _) => "✓",
        (Verdict.Warning, _) => "!",
        _ => "✗",
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;
