using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Server.Tokens;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>Answers why somebody can or can't sign in, and what the token would say: from the engine and the resolver that decide it.</summary>
public sealed class SignInExplainer(SignInDesk desk, SignInStore signIns, RoleStore roles, TokenIssuer issuer, TimeProvider clock)
{
    /// <param name="wanted">The organization asked about, if any; null in it where there is no such one.</param>
    public async Task<ExplanationResource> ExplainAsync(
        Realm realm, User user, Client client, Door door, (Id<Organization> Id, Organization? Found)? wanted, CancellationToken cancellationToken)
    {
        // At the AuthKit door the organization is chosen among those that are offered; at the others the request names it.
        OrganizationChoice choice = wanted is { } named && door != Door.AuthKit ? new OrganizationChoice.Chosen(named.Id) : OrganizationChoice.Unchosen;
        SignInProgress begun = desk.Begin(client, door, new AuthorizationRequest { OnOrganizationPath = door == Door.AppNative && wanted is not null }, choice, Origin.System);
        RehearsalFacts facts = await signIns.LoadForRehearsalAsync(begun.SignIn, client, user, wanted?.Found, clock.GetUtcNow(), cancellationToken);
        Rehearsed rehearsed = SignInRehearsal.Of(begun.SignIn, facts, wanted?.Id);

        OrganizationObstacle[] obstacles = wanted is { } asked ? [.. ObstaclesTo(asked.Found, client, door, facts, rehearsed.Ended)] : [];
        GrantFacts? grant = rehearsed.Steps[^1] is SignInStep.Complete complete
            ? await GrantOfAsync(realm, begun with { SignIn = rehearsed.Ended }, complete, facts, cancellationToken)
            : null;
        OrganizationClaims? claims = grant?.OrganizationsAt(clock.GetUtcNow());
        bool isIssued = grant is not null && GrantRules.SpeaksOfChosen(grant, claims!);
        ExplainedOutcome outcome = rehearsed.Steps[^1] switch
        {
            SignInStep.Complete when isIssued => ExplainedOutcome.SignsIn,
            SignInStep.ChooseOrganization when wanted is null => ExplainedOutcome.MustChoose,
            SignInStep.UseConnection => ExplainedOutcome.NeedsConnection,
            _ => ExplainedOutcome.Refused,
        };
        return new ExplanationResource
        {
            Outcome = outcome,
            Summary = ExplanationTexts.SummaryOf(outcome, rehearsed.Steps, obstacles),
            Door = door,
            Profile = client.ProfileFor(door),
            Steps = [.. rehearsed.Steps.Select(step => ExplanationTexts.StepOf(step, isIssued))],
            Obstacles = [.. obstacles.Select(ExplanationTexts.ObstacleOf)],
            Organizations = [.. facts.Open.Memberships.Select(entry => OrganizationOf(entry, client, facts, rehearsed.Ended, isIssued ? claims : null))],
            Claims = isIssued ? ClaimsOf(grant!, claims!) : null,
        };
    }

    /// <summary>Everything in the way at once: whoever removes one thing wants to know of the next.</summary>
    private static IEnumerable<OrganizationObstacle> ObstaclesTo(Organization? organization, Client client, Door door, RehearsalFacts facts, SignIn ended)
    {
        IEnumerable<OrganizationObstacle> common = OrganizationAccess.OfClient(organization, client, door, facts.WantedIsShared);
        if (organization is null)
            return common;
        Membership? membership = facts.Open.Memberships.FirstOrDefault(entry => entry.Organization.Id == organization.Id)?.Membership;
        return common.Concat(OrganizationAccess.OfPerson(membership)).Concat(PolicyOf(organization, facts, ended));
    }

    /// <summary>What is still to be shown is asked for, and so in nobody's way, as long as the person gets to it.</summary>
    private static IEnumerable<OrganizationObstacle> PolicyOf(Organization organization, RehearsalFacts facts, SignIn ended) =>
        ended.Proofs.Count == 0 ? [] : OrganizationAccess.OfPolicy(organization, new ShownProofs(ended.Proofs, facts.Open.Now));

    private static ExplainedOrganization OrganizationOf(
        MembershipInOrganization entry, Client client, RehearsalFacts facts, SignIn ended, OrganizationClaims? claims)
    {
        Organization organization = entry.Organization;
        bool isInToken = claims switch
        {
            OrganizationClaims.Many many => many.Memberships.Any(membership => membership.OrganizationId == organization.Id),
            OrganizationClaims.One one => one.Organization == organization.Id,
            OrganizationClaims.Named named => named.UserOrganization == organization.Id.ToString(),
            _ => false,
        };
        return new ExplainedOrganization
        {
            Id = organization.Id.ToString(),
            Name = organization.Name,
            InToken = isInToken,
            Obstacles = isInToken
                ? []
                :
                [
                    .. OrganizationAccess.OfClient(organization, client, Door.OAuth, isShared: true)
                        .Concat(OrganizationAccess.OfPerson(entry.Membership))
                        .Concat(PolicyOf(organization, facts, ended))
                        .Select(ExplanationTexts.ObstacleOf),
                ],
        };
    }

    /// <summary>The grant that the sign-in would end in; nobody stores it.</summary>
    private async Task<GrantFacts> GrantOfAsync(
        Realm realm, SignInProgress progress, SignInStep.Complete complete, RehearsalFacts facts, CancellationToken cancellationToken)
    {
        SignInCompletion completion = await desk.CompletionOfAsync(progress, complete, Secret.New(), cookie: null, cancellationToken);
        MembershipInOrganization[] spoken =
            [.. facts.Open.Memberships.Where(entry => complete.Choice.Selected is not { } selected || entry.Organization.Id == selected)];
        return new GrantFacts
        {
            Grant = completion.Grant,
            Session = completion.Session,
            Client = progress.Client,
            User = complete.User,
            Memberships = [.. spoken.Select(MembershipFacts.Of)],
            Roles = await roles.NamedAsync(
                realm.Id,
                [.. spoken.Select(static entry => entry.Organization.Id)],
                [.. spoken.SelectMany(static entry => entry.Membership.Scopes).Distinct(StringComparer.Ordinal)],
                cancellationToken),
            Realm = realm,
        };
    }

    private JsonElement ClaimsOf(GrantFacts grant, OrganizationClaims claims)
    {
        using MemoryStream written = new();
        using (Utf8JsonWriter json = new(written))
        {
            json.WriteStartObject();
            issuer.WriteAccessClaims(json, grant, issuer.Project(grant, claims), grant.Grant.Scopes);
            json.WriteEndObject();
        }

        using JsonDocument all = JsonDocument.Parse(written.ToArray());
        using MemoryStream kept = new();
        using (Utf8JsonWriter json = new(kept))
        {
            json.WriteStartObject();
            foreach (JsonProperty claim in all.RootElement.EnumerateObject().Where(static claim => claim.Name is not ("jti" or "sid")))
                claim.WriteTo(json);
            json.WriteEndObject();
        }

        return JsonElement.Parse(kept.ToArray());
    }
}
