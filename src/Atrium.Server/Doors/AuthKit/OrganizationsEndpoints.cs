using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Server.Http;
using Atrium.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>The resources of organizations.</summary>
public static class OrganizationsEndpoints
{
    private const string Organizations = "/organizations";

    public static void MapOrganizations(this RouteGroupBuilder api)
    {
        api.MapGet(Organizations, ListAsync).Needs(ApiScopes.OrganizationsRead);
        api.MapPost(Organizations, CreateAsync).Needs(ApiScopes.OrganizationsWrite);
        api.MapGet($"{Organizations}/external_id/{{externalId}}", GetByExternalIdAsync).Needs(ApiScopes.OrganizationsRead);
        api.MapGet($"{Organizations}/{{id}}", GetAsync).Needs(ApiScopes.OrganizationsRead);
        api.MapPut($"{Organizations}/{{id}}", UpdateAsync).Needs(ApiScopes.OrganizationsWrite);
        api.MapDelete($"{Organizations}/{{id}}", DeleteAsync).Needs(ApiScopes.OrganizationsWrite);
    }

    private static async Task<Results<JsonAnswer<ListJson<OrganizationJson>>, AuthKitError>> ListAsync(
        HttpContext context, OrganizationStore organizations, CancellationToken cancellationToken)
    {
        if (!ListQuery<Organization>.TryRead(context.Request, out ListQuery<Organization>? query, out AuthKitError? error))
            return error;
        Id<Realm> realm = context.Caller().Realm;
        IReadOnlyList<string> asked = QueryArrays.Read(context.Request, "domains");
        string[] domains = [.. asked.Select(DomainName.Normalize).OfType<string>().Distinct(StringComparer.Ordinal)];

        // What is no domain belongs to nobody.
        Page<Organization> page = asked.Count > 0 && domains.Length == 0
            ? new([], HasBefore: false, HasAfter: false)
            : await organizations.ListAsync(realm, ResourceFields.QueryText(context, "search"), domains, query.Page, cancellationToken);
        ILookup<Id<Organization>, OrganizationDomain> theirs =
            await organizations.DomainsAsync(realm, [.. page.Items.Select(static organization => organization.Id)], cancellationToken);
        return new JsonAnswer<ListJson<OrganizationJson>>(
            query.ToJson(page, static organization => organization.Id, organization => OrganizationJson.From(organization, theirs[organization.Id])),
            AuthKitJson.Default.ListJsonOrganizationJson);
    }

    private static async Task<Results<JsonAnswer<OrganizationJson>, AuthKitError>> CreateAsync(
        HttpContext context, OrganizationStore organizations, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? error, out Fields? fields))
            return error;
        OrganizationFields read = OrganizationFields.Read(fields, nameRequired: true);
        if (fields.Error is { } invalid)
            return invalid;

        DateTimeOffset now = clock.GetUtcNow();
        Organization empty = new()
        {
            RealmId = context.Caller().Realm,
            Id = Id<Organization>.New(clock),
            Handle = "",
            Name = "",
            Status = OrganizationStatus.Active,
            CreatedAt = now,
            UpdatedAt = now,
        };
        if (read.ApplyTo(empty, [], clock) is not { } made)
            return ResourceFields.InvalidMetadata;
        IReadOnlyList<string> handles = Handles.Candidates(made.Organization.Name, made.Organization.Id);
        IReadOnlyList<string> taken = await organizations.TakenHandlesAsync(empty.RealmId, handles, cancellationToken);

        // Somebody else may take the best free handle meanwhile; the last candidate is this organization's alone.
        IReadOnlyList<OrganizationDomain> domains = made.Domains ?? [];
        Organization organization = made.Organization with { Handle = handles.FirstOrDefault(handle => !taken.Contains(handle)) ?? handles[^1] };
        OrganizationWrite outcome = await organizations.CreateAsync(organization, domains, cancellationToken);
        if (outcome == OrganizationWrite.HandleTaken)
        {
            organization = organization with { Handle = handles[^1] };
            outcome = await organizations.CreateAsync(organization, domains, cancellationToken);
        }

        return outcome switch
        {
            OrganizationWrite.Done => Answer(organization, domains, StatusCodes.Status201Created),
            OrganizationWrite.ExternalIdTaken => ResourceFields.ExternalIdTaken,
            _ => await DomainTakenAsync(organizations, organization.RealmId, organization.Id, read.Domains, cancellationToken),
        };
    }

    private static async Task<Results<JsonAnswer<OrganizationJson>, AuthKitError>> GetByExternalIdAsync(
        HttpContext context, OrganizationStore organizations, CancellationToken cancellationToken) =>
        await organizations.FindByExternalIdAsync(context.Caller().Realm, ResourceFields.ExternalIdInPath(context), cancellationToken) is { } organization
            ? await AnswerAsync(organizations, organization, cancellationToken)
            : AuthKitError.NotFound;

    private static async Task<Results<JsonAnswer<OrganizationJson>, AuthKitError>> GetAsync(
        HttpContext context, string id, OrganizationStore organizations, CancellationToken cancellationToken) =>
        Id<Organization>.Parse(id) is { } known && await organizations.FindAsync(context.Caller().Realm, known, cancellationToken) is { } organization
            ? await AnswerAsync(organizations, organization, cancellationToken)
            : AuthKitError.NotFound;

    private static async Task<Results<JsonAnswer<OrganizationJson>, AuthKitError>> UpdateAsync(
        HttpContext context, string id, OrganizationStore organizations, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? error, out Fields? fields))
            return error;
        Id<Realm> realm = context.Caller().Realm;
        if (Id<Organization>.Parse(id) is not { } known || await organizations.FindAsync(realm, known, cancellationToken) is null)
            return AuthKitError.NotFound;
        OrganizationFields read = OrganizationFields.Read(fields, nameRequired: false);
        if (fields.Error is { } invalid)
            return invalid;

        (OrganizationWrite outcome, OrganizationChange? change) = await organizations.ChangeAsync(
            realm, known, (organization, domains) => read.ApplyTo(organization, domains, clock), cancellationToken);
        return outcome switch
        {
            OrganizationWrite.Done => Answer(change!.Organization, change.Domains ?? []),
            OrganizationWrite.NotFound => AuthKitError.NotFound,
            OrganizationWrite.Refused => ResourceFields.InvalidMetadata,
            OrganizationWrite.ExternalIdTaken => ResourceFields.ExternalIdTaken,
            _ => await DomainTakenAsync(organizations, realm, known, read.Domains, cancellationToken),
        };
    }

    /// <summary>202 without a body: a text such as "Accepted" makes the PHP SDK throw.</summary>
    private static async Task<Results<StatusCodeHttpResult, AuthKitError>> DeleteAsync(
        HttpContext context, string id, OrganizationStore organizations, TimeProvider clock, CancellationToken cancellationToken) =>
        Id<Organization>.Parse(id) is { } known && await organizations.DeleteAsync(context.Caller().Realm, known, clock.GetUtcNow(), cancellationToken)
            ? TypedResults.StatusCode(StatusCodes.Status202Accepted)
            : AuthKitError.NotFound;

    private static async Task<AuthKitError> DomainTakenAsync(
        OrganizationStore organizations, Id<Realm> realm, Id<Organization> id, IReadOnlyList<string> domains, CancellationToken cancellationToken)
    {
        // It may have become free again meanwhile; the answer stays what it was.
        string taken = await organizations.TakenDomainAsync(realm, id, domains, cancellationToken) ?? string.Join(", ", domains);
        return AuthKitError.MessageOnly($"An Organization with the domain {taken} already exists.", StatusCodes.Status409Conflict);
    }

    private static async Task<JsonAnswer<OrganizationJson>> AnswerAsync(
        OrganizationStore organizations, Organization organization, CancellationToken cancellationToken) =>
        Answer(organization, (await organizations.DomainsAsync(organization.RealmId, [organization.Id], cancellationToken))[organization.Id]);

    private static JsonAnswer<OrganizationJson> Answer(
        Organization organization, IEnumerable<OrganizationDomain> domains, int status = StatusCodes.Status200OK) =>
        new(OrganizationJson.From(organization, domains), AuthKitJson.Default.OrganizationJson, status);
}
