using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary>Does the steps of a plan, one after the other.</summary>
/// <param name="operators">The realms themselves; null when the file says nothing of its realm.</param>
internal sealed class Worker(ManagementApi api, ManagementApi? operators, OrganizationHandles handles)
{
    private readonly Dictionary<Declaration, string> made = [];

    /// <returns>What the API answered; undefined after a deletion.</returns>
    public async Task<JsonElement> DoAsync(Step step, CancellationToken cancellationToken)
    {
        string? ownerId = step.OwnerId ?? (step.Declared?.Owner is { } owner ? made[owner] : null);
        switch (step.Action)
        {
            case StepAction.Create when step.Kind.IsTie:
                string organization = handles.IdOf(step.Key) ?? step.Key;
                return (await api.PutAsync(step.Kind.Resource.PathOf(ownerId, organization), body: null, ifMatch: null, cancellationToken)).Body;
            case StepAction.Create:
                JsonNode body = handles.WithIds(step.Declared!.Wanted)!;
                JsonElement created = (await api.PostAsync(step.Kind.Resource.PathOf(ownerId), body, cancellationToken)).Data;
                string id = FieldText.At(created, step.Kind.Resource.Key);
                made[step.Declared] = id;
                if (step.Kind == Kinds.Organizations)
                    handles.Add(step.Key, id);
                return created;
            case StepAction.Update:
                JsonNode patch = handles.WithIds(Difference.Patch(step.Differences))!;
                ManagementApi owning = step.Kind == Kinds.Realm ? operators! : api;
                return (await owning.PatchAsync(step.Kind.Resource.PathOf(ownerId, step.Id), patch, step.ETag, cancellationToken)).Data;
            default:
                await api.DeleteAsync(step.Kind.Resource.PathOf(ownerId, step.Id), step.ETag, cancellationToken);
                return default;
        }
    }
}
