using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary><c>atrium apply</c>: makes a realm what a file declares, after showing what that changes.</summary>
internal sealed class ApplyCommand(Shell shell, Access access)
{
    private readonly Argument<string> path = new("file") { Description = "JSON, in which comments may stand; see docs/cli.md." };
    private readonly Option<bool> dryRun = new("--dry-run") { Description = $"Only shows the difference. Ends with {ExitCode.Differs} when there is one." };
    private readonly Option<bool> yes = new("--yes") { Description = "Doesn't ask." };
    private readonly Option<bool> prune = new("--prune") { Description = "Deletes what the sections of the file don't declare." };
    private readonly Option<string?> secretsFile = new("--secrets-file") { Description = "Where new secrets are written, a line of JSON each; only you can read it. They are shown otherwise." };

    public Command Build() => Call.Verb(
        "apply",
        "Declares a realm: shows what differs from the file, asks, and changes it.",
        shell,
        access.OpenRealm,
        [path, dryRun, yes, prune, secretsFile, Call.Json],
        RunAsync);

    private async Task<int> RunAsync(Call call, CancellationToken cancellationToken)
    {
        RealmFile file = await RealmFile.ReadAsync(call.Parsed.GetRequiredValue(path), access.RealmOf(call.Parsed), cancellationToken);
        using ManagementApi? operators = file.DeclaresRealm ? OpenOperator(call) : null;
        OrganizationHandles handles = new();
        Plan plan = await new Planner(call.Api, operators, handles, shell).PlanAsync(file, call.Parsed.GetValue(prune), cancellationToken);
        bool onlyShows = call.Parsed.GetValue(dryRun);
        if (!call.InJson)
            new PlanText(shell, handles).Write(plan);
        else if (onlyShows)
            Tell(plan.Steps, "planned");
        if (plan.Steps.Count == 0)
            return ExitCode.Done;
        if (onlyShows)
            return ExitCode.Differs;
        if (!call.Parsed.GetValue(yes))
        {
            if (!shell.CanAsk)
                throw new Refusal("There is nobody to ask: --yes changes it without. Nothing was changed.", ExitCode.Usage);
            if (!shell.Confirms("Change it?"))
                throw new Refusal("Nothing was changed.");
        }

        using SecretKeeper secrets = SecretKeeper.Open(call.Parsed.GetValue(secretsFile));
        return await ChangeAsync(call, plan, new Worker(call.Api, operators, handles), secrets, cancellationToken);
    }

    /// <summary>A key of the realm does not even see the realm's own settings, so whether they differ can't be told without.</summary>
    private ManagementApi OpenOperator(Call call) => access.HasOperatorKey(call.Parsed)
        ? access.OpenOperator(call.Parsed)
        : throw new Refusal(
            "/realm: only an operator key reads and changes the realm's own name and settings. Name one with --operator-key or ATRIUM_OPERATOR_KEY, or leave \"realm\" out of the file. Nothing was changed.",
            ExitCode.Usage);

    private async Task<int> ChangeAsync(Call call, Plan plan, Worker worker, SecretKeeper secrets, CancellationToken cancellationToken)
    {
        foreach ((int done, Step step) in plan.Steps.Index())
        {
            JsonElement answer;
            try
            {
                answer = await worker.DoAsync(step, cancellationToken);
            }
            catch (Refusal refusal)
            {
                Failed(call, plan, done);
                throw new Refusal($"{step.Title}: {refusal.Message}") { Fields = refusal.Fields, RequestId = refusal.RequestId };
            }

            string? secret = secrets.Keep(step, answer);
            if (call.InJson)
            {
                JsonObject line = PlanText.Json(step, "done");
                if (secret is not null)
                    line["secret"] = secret;
                shell.Output.WriteLine(line.ToJsonString());
            }
            else
            {
                shell.Output.WriteLine($"{shell.Paint("done", Colour.Good)}  {Printable.Text(step.Title)} {Past(step.Action)}{(secret is null ? "" : $"; its secret, shown this once: {secret}")}");
            }
        }

        return call.Done("The realm is as declared.");
    }

    /// <summary>What was not done; what was, has been said already.</summary>
    private void Failed(Call call, Plan plan, int done)
    {
        IReadOnlyList<Step> left = [.. plan.Steps.Skip(done)];
        if (call.InJson)
        {
            Tell(left.Take(1), "failed");
            Tell(left.Skip(1), "not_tried");
            return;
        }

        foreach (Step step in left)
            shell.Output.WriteLine($"{shell.Paint("left", Colour.Bad)}  {Printable.Text(step.Title)}");
        shell.Output.WriteLine($"{done} of {plan.Steps.Count} changes are made and stay. Run the same again for the rest.");
    }

    private void Tell(IEnumerable<Step> steps, string outcome)
    {
        foreach (Step step in steps)
            shell.Output.WriteLine(PlanText.Json(step, outcome).ToJsonString());
    }

    private static string Past(StepAction action) => action switch
    {
        StepAction.Create => "created",
        StepAction.Update => "changed",
        _ => "deleted",
    };
}
