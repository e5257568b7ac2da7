import {
  newSiteTokenBody,
  newSiteTokenSchema,
  siteBody,
  siteMapBody,
  siteMapParams,
  siteSettingsSchema,
  siteSecretBody,
  siteSecretSchema,
  siteTokenParams,
  siteDetailSchema,
  siteSchema,
  sitesSchema,
  siteTestSchema,
} from '../schemas/sites.ts'
import { site } from '../schemas/common.ts'
import { body, createRoute, json, problems, security, z } from './common.ts'

const tags = ['sites']
const params = z.object({ name: site.openapi({ param: { name: 'name', in: 'path' }, example: 'lyon' }) })

export const list = createRoute({
  method: 'get',
  path: '/sites',
  tags,
  operationId: 'listSites',
  summary: 'All sites, with their workers',
  security,
  responses: { 200: json(sitesSchema, 'By name, 200 at most'), ...problems(401) },
})

export const get = createRoute({
  method: 'get',
  path: '/sites/{name}',
  tags,
  operationId: 'getSite',
  summary: 'One site: workers, hypervisors, repositories, what runs, and its bandwidth limits',
  security,
  request: { params },
  responses: { 200: json(siteDetailSchema, 'As of now'), ...problems(401, 404) },
})

export const put = createRoute({
  method: 'put',
  path: '/sites/{name}',
  tags,
  operationId: 'putSite',
  summary: 'Make a site, or change what is given of it',
  security,
  description: 'A site that a hypervisor or a repository names is made with it.',
  request: { params, ...body(siteBody) },
  responses: { 200: json(siteSchema, 'As it is now'), ...problems(400, 401, 403) },
})

export const putMap = createRoute({
  method: 'put',
  path: '/sites/{name}/maps/{to}',
  tags,
  operationId: 'putSiteMap',
  summary: 'What networks and storages of one site are called at another',
  description:
    'It takes the place of what was said before; without any line there is none. Restores, instant restores, recovery plans and replication from the one to the other use it.',
  security,
  request: { params: siteMapParams, ...body(siteMapBody) },
  responses: { 200: json(siteSchema, 'As it is now'), ...problems(400, 401, 403, 404) },
})

export const settings = createRoute({
  method: 'get',
  path: '/site-settings/{name}',
  tags,
  operationId: 'getSiteSettings',
  summary: 'What a worker of the site is to keep to (workers)',
  security,
  request: { params },
  responses: { 200: json(siteSettingsSchema, 'As of now'), ...problems(401, 403) },
})

export const remove = createRoute({
  method: 'delete',
  path: '/sites/{name}',
  tags,
  operationId: 'removeSite',
  summary: 'Remove a site that nothing is of',
  security,
  request: { params },
  responses: { 204: { description: 'Removed' }, ...problems(401, 403, 404, 409) },
})

export const test = createRoute({
  method: 'post',
  path: '/sites/{name}/test',
  tags,
  operationId: 'testSite',
  summary: 'Ask a worker of the site to reach the server, its hypervisors and its repositories',
  security,
  request: { params },
  responses: { 200: json(siteTestSchema, 'What it reached, and what not'), ...problems(401, 403, 404, 503, 504) },
})

export const makeToken = createRoute({
  method: 'post',
  path: '/sites/{name}/tokens',
  tags,
  operationId: 'makeSiteToken',
  summary: 'A token for workers of the site on other machines',
  description: 'It opens what workers ask the server for, and of that only what is of the site. It is said once.',
  security,
  request: { params, ...body(newSiteTokenBody) },
  responses: { 201: json(newSiteTokenSchema, 'Made'), ...problems(400, 401, 403, 404) },
})

export const revokeToken = createRoute({
  method: 'delete',
  path: '/sites/{name}/tokens/{token}',
  tags,
  operationId: 'revokeSiteToken',
  summary: 'A token that opens nothing any more',
  security,
  request: { params: siteTokenParams },
  responses: { 204: { description: 'Revoked' }, ...problems(401, 403, 404) },
})

export const secret = createRoute({
  method: 'post',
  path: '/site-secrets',
  tags,
  operationId: 'askSiteSecret',
  summary: 'A secret of the worker’s own site, where that hands them out (workers)',
  security,
  request: body(siteSecretBody),
  responses: { 200: json(siteSecretSchema, 'For this worker'), ...problems(400, 401, 403, 404) },
})
