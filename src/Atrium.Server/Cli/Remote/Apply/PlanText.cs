using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary>A plan as people read it, and as scripts do.</summary>
internal sealed class PlanText(Shell shell, OrganizationHandles handles)
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Write(Plan plan)
    {
        foreach (Step step in plan.Steps)
        {
            (string sign, string colour) = SignOf(step.Action);
            shell.Output.WriteLine(shell.Paint($"{sign} {Printable.Text(step.Title)}", colour));
            int width = step.Differences.Select(static one => one.Field.Length - 1).DefaultIfEmpty().Max();
            foreach (Difference one in step.Differences)
            {
                string field = one.Field[1..].Replace('/', '.').PadRight(width);
                string change = step.Action == StepAction.Create ? Shown(one.Wanted) : $"{Shown(one.Now)} -> {Shown(one.Wanted)}";
                shell.Output.WriteLine($"    {Printable.Text(field)}  {Printable.Text(change)}");
            }
        }

        shell.Output.WriteLine(Summary(plan));
    }

    public static string Summary(Plan plan)
    {
        int Count(StepAction action) => plan.Steps.Count(step => step.Action == action);
        string same = plan.Unchanged == 1 ? "1 is as declared" : $"{plan.Unchanged} are as declared";
        return plan.Steps.Count == 0 ? $"Nothing to do: {same}." : $"{Count(StepAction.Create)} to create, {Count(StepAction.Update)} to change, {Count(StepAction.Delete)} to delete; {same}.";
    }

    /// <param name="outcome">planned, done, failed or not_tried.</param>
    public static JsonObject Json(Step step, string outcome)
    {
        JsonObject line = new()
        {
            ["action"] = step.Action.ToString().ToLowerInvariant(),
            ["kind"] = step.Kind.Resource.Thing,
            ["key"] = step.Key,
            ["title"] = step.Title,
            ["outcome"] = outcome,
        };
        line["fields"] = new JsonArray([.. step.Differences.Select(static one => new JsonObject
        {
            ["field"] = one.Field, ["now"] = one.Now?.DeepClone(), ["wanted"] = one.Wanted?.DeepClone(),
        })]);
        return line;
    }

    private static (string Sign, string Colour) SignOf(StepAction action) => action switch
    {
        StepAction.Create => ("+", Colour.Good),
        StepAction.Update => ("~", Colour.Warning),
        _ => ("-", Colour.Bad),
    };

    /// <summary>As JSON, with the handles of organizations for their ids.</summary>
    private string Shown(JsonNode? value) => value switch
    {
        null => "nothing",
        JsonArray items => $"[{string.Join(", ", items.Select(Shown))}]",
        JsonValue text when text.GetValueKind() == JsonValueKind.String && handles.HandleOf(text.GetValue<string>()) is { } handle => $"\"{handle}\"",
        _ => value.ToJsonString(Readable),
    };
}
